"""What the webmail keeps of an account for all its readers; files on their way."""

from django.conf import settings
from django.db import models
from django.utils import timezone
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


class Transfer(models.Model):
    """A file of mail on its way into an account: uploaded in pieces, then read."""

    class State(models.TextChoices):
        """How far it is."""

        UPLOADING = "uploading", _("being sent here")
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being read")
        DONE = "done", _("done")
        FAILED = "failed", _("stopped")
        CANCELLED = "cancelled", _("called off")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    folder = models.CharField(max_length=1000, blank=True)
    name = models.CharField(max_length=200, help_text=_("of the file"))
    size = models.BigIntegerField(help_text=_("octets of the file"))
    received = models.BigIntegerField(default=0)
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.UPLOADING
    )
    # Where reading goes on: which source, and how many of its octets are done.
    source = models.PositiveIntegerField(default=0)
    progress = models.BigIntegerField(default=0)
    done = models.BigIntegerField(default=0, help_text=_("octets of all sources"))
    total = models.BigIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    large = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    touched_at = models.DateTimeField(default=timezone.now, db_index=True)

    @override
    def __str__(self) -> str:
        return f"{self.name} of {self.user}"

    @property
    def is_read(self) -> bool:
        """Whether a job reads it, or is about to."""
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def is_open(self) -> bool:
        """Whether it can be called off."""
        return self.is_read or self.state == self.State.UPLOADING


class TransferChunk(models.Model):
    """A piece of the file; gone when it was read."""

    transfer = models.ForeignKey(
        Transfer, models.CASCADE, related_name="chunks", db_index=False
    )
    number = models.PositiveIntegerField()
    octets = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["transfer", "number"], name="transferchunk_number"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"chunk {self.number} of transfer {self.transfer_id}"


class Case(models.Model):
    """A conversation of a shared account and who takes care of it."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    thread = models.ForeignKey("mail.Thread", models.CASCADE, related_name="+")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread"], name="case_thread"),
        ]
        indexes = [
            # "what of this account is mine, newest first"
            models.Index(fields=["account", "assignee", "at"], name="case_assignee"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.thread_id}: {self.assignee}"


class Note(models.Model):
    """What members tell each other of a conversation; no part of any message."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    thread = models.ForeignKey("mail.Thread", models.CASCADE, related_name="+")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    text = models.TextField(max_length=5000)
    at = models.DateTimeField(default=timezone.now)

    @override
    def __str__(self) -> str:
        return f"note {self.pk} of {self.author}"


class Answered(models.Model):
    """Who answered a message of a shared account, last."""

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="+", db_index=False
    )
    email_id = models.BigIntegerField()
    thread = models.ForeignKey(
        "mail.Thread", models.CASCADE, null=True, related_name="+"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "email_id"], name="answered_account_email"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.email_id} by {self.user}"
