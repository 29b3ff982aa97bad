"""The app of the webmail."""

from django.apps import AppConfig


class WebmailConfig(AppConfig):
    """Names the app."""

    name = "mailhost.webmail"
    label = "webmail"
    verbose_name = "Webmail"
