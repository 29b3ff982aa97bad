"""Messages on their way in: how they are written, named by URLs, and put together."""
