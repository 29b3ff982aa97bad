"""One file per thing a browser asks for."""
