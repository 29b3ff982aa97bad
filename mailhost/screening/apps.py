"""The screening app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ScreeningConfig(AppConfig):
    """What is looked at before mail is taken."""

    name = "mailhost.screening"
    label = "screening"
    verbose_name = _("Incoming mail")
    default_auto_field = "django.db.models.BigAutoField"
