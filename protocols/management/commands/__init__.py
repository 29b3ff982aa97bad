"""manage.py commands that use the store and the servers."""
