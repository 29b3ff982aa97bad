"""The POP3 app: what an account's maildrop is, and who came when."""

from django.apps import AppConfig


class Pop3Config(AppConfig):
    """POP3 and its few rows."""

    name = "protocols.pop3"
    label = "pop3"
    verbose_name = "POP3"
    default_auto_field = "django.db.models.BigAutoField"
