"""What a user may send, has sent today, and will send later."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

EMPTY = _("empty: as the server is set; 0: no limit")


class Sender(models.Model):
    """How one user sends; without a row as the server is set."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+"
    )
    messages_a_day = models.PositiveIntegerField(null=True, blank=True, help_text=EMPTY)
    new_recipients_a_day = models.PositiveIntegerField(
        null=True, blank=True, help_text=EMPTY
    )
    keeps_copy = models.BooleanField(
        default=False,
        help_text=_("what their mail program sends is put into Sent by the server"),
    )
    held_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("since then nothing is sent")
    )
    held_why = models.CharField(max_length=200, blank=True, editable=False)

    @override
    def __str__(self) -> str:
        return str(self.user)


class SendingDay(models.Model):
    """What a user sent on one day, UTC."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    day = models.DateField()
    messages = models.PositiveIntegerField(default=0)
    new_recipients = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # "what has this user sent today"
            models.UniqueConstraint(fields=["user", "day"], name="sendingday_user_day")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.user_id} {self.day}"


class Correspondent(models.Model):
    """An outside address that a user has written to."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    address = models.CharField(max_length=320)
    first_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            # "which of these are new to this user"
            models.UniqueConstraint(
                fields=["user", "address"], name="correspondent_user_address"
            )
        ]

    @override
    def __str__(self) -> str:
        return self.address


class Scheduled(models.Model):
    """A message that waits for its time; gone once it is sent or called off."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    due = models.DateTimeField()
    octets = models.BinaryField()
    size = models.BigIntegerField(help_text=_("octets"))
    envelope = models.JSONField()
    received = models.BinaryField(help_text=_("the Received field of its arrival"))
    peer = models.CharField(max_length=300, blank=True)
    keeps_copy = models.BooleanField(null=True, help_text=_("empty: as the user does"))
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("scheduled message")
        indexes = [
            # "what of mine waits, soonest first"
            models.Index(fields=["user", "due"], name="scheduled_user_due")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.pk} of {self.user_id}, {self.due:%Y-%m-%d %H:%M}"
