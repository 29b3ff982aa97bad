"""Passwords for devices: what the settings show of them, and the form for a new one."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import loginlog
from accounts.models import AppPassword
from mailhost.autoconfig.servers import is_told, servers
from mailhost.webmail.door import Request

MOST_DEVICES = 100
SCOPES = (
    ("imap", _("Mail (IMAP)")),
    ("pop3", _("Fetching mail (POP3)")),
    ("smtp", _("Sending")),
    ("sieve", _("Filters")),
)
DAYS = (
    ("", _("until I end it")),
    ("1", _("one day")),
    ("30", _("30 days")),
    ("365", _("one year")),
)
MOST_LOGINS = 30  # shown


class DeviceForm(forms.Form):
    """What a new password is for, and for how long."""

    name = forms.CharField(label=_("Name of the device"), max_length=100, strip=True)
    scopes = forms.MultipleChoiceField(
        label=_("May be used for"),
        choices=SCOPES,
        initial=[scope for scope, _name in SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.ChoiceField(label=_("Good"), choices=DAYS, required=False)


def has_room(request: Request) -> bool:
    """Tell whether a user may have one more."""
    return AppPassword.objects.filter(user=request.user).count() < MOST_DEVICES


def context(request: Request) -> dict[str, Any]:
    """Return what the settings show of devices."""
    rows = AppPassword.objects.filter(user=request.user).order_by("name", "pk")
    return {
        "devices": rows,
        "device_form": DeviceForm(auto_id="device_%s", label_suffix=""),
        "scope_names": dict(SCOPES),
        "has_room": has_room(request),
        "has_profile": is_told(),
        "servers": servers(),
        "logins": loginlog.recent(request.user.pk, MOST_LOGINS),
    }
