"""The wire protocols, and the commands that run them."""
