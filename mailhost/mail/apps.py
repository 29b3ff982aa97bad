"""The mail app."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """Folders, messages and what they hold."""

    name = "mailhost.mail"
    label = "mail"
    default_auto_field = "django.db.models.BigAutoField"
