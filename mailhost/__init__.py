"""mailhost: the mail of an organisation in one Django project."""
