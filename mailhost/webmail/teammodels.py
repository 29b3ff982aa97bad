"""What the webmail keeps of an account for all who may read it: meetings."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import Account


class SeenMeeting(models.Model):
    """The newest version of an event that came by mail, and what was answered."""

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="+", db_index=False
    )
    key = models.CharField(max_length=64, help_text=_("see calendars.reading"))
    sequence = models.BigIntegerField(default=0)
    stamp = models.DateTimeField(null=True, help_text=_("DTSTAMP"))
    cancelled = models.BooleanField(default=False)
    answer = models.CharField(max_length=20, blank=True, help_text=_("PARTSTAT"))
    comment = models.CharField(max_length=1000, blank=True)
    address = models.CharField(max_length=320, blank=True, help_text=_("as whom"))
    answered_sequence = models.BigIntegerField(default=-1)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "key"], name="seenmeeting_account_key"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.key[:8]} {self.answer}"
