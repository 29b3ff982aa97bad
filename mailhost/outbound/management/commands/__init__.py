"""manage.py dkim, manage.py checkdomain."""
