"""What mail programs ask before they know anything: which server, port and login."""
