"""The outbound app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OutboundConfig(AppConfig):
    """The queue of mail to the outside."""

    name = "mailhost.outbound"
    label = "outbound"
    verbose_name = _("Outgoing mail")
    default_auto_field = "django.db.models.BigAutoField"
