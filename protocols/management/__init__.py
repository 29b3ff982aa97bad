"""Management commands of the servers."""
