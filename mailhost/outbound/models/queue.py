"""A message on its way out, and one row for each of its recipients."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class State(models.TextChoices):
    """Where a recipient stands."""

    QUEUED = "queued", _("queued")
    HELD = "held", _("held")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")
    DROPPED = "dropped", _("dropped")
    JUNK = "junk", _("junk, not sent on")


class QueueMessage(models.Model):
    """What is sent; the octets go once no recipient needs them any more."""

    mail_from = models.CharField(
        max_length=320, blank=True, help_text=_("empty: a report, never answered")
    )
    octets = models.BinaryField(help_text=_("empty: they are in chunks"))
    size = models.BigIntegerField(help_text=_("octets"))
    smtputf8 = models.BooleanField(default=False)
    ret = models.CharField(max_length=4, blank=True, help_text=_("RFC 3461 §4.3"))
    envid = models.CharField(max_length=100, blank=True, help_text=_("xtext"))
    asked = models.JSONField(
        default=dict,
        blank=True,
        help_text=_("tls (RFC 8689), priority (RFC 6710), by (RFC 2852)"),
    )
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("the user who submitted it; empty: forwarded, or a report"),
    )
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    expires_at = models.DateTimeField()

    @override
    def __str__(self) -> str:
        return f"{self.pk} from <{self.mail_from}>"


class QueueChunk(models.Model):
    """A piece of a large message: one INSERT of it would hold SQLite for long."""

    message = models.ForeignKey(QueueMessage, models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    octets = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "number"], name="queuechunk_message_number"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.number} of {self.message_id}"


class Delay(models.TextChoices):
    """Whether the sender hears that a message is late."""

    NO = "", _("no")
    DUE = "due", _("to be told")
    TOLD = "told", _("told")


class QueueRecipient(models.Model):
    """One address that a message has to reach."""

    message = models.ForeignKey(QueueMessage, models.CASCADE, related_name="recipients")
    address = models.CharField(max_length=320)
    domain = models.CharField(max_length=255)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    due = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Who works on it, and until when that is believed.
    owner = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    notify = models.CharField(max_length=30, blank=True, help_text=_("RFC 3461 §4.1"))
    orcpt = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=11, blank=True, help_text=_("RFC 3463"))
    last_reply = models.TextField(blank=True)
    last_host = models.CharField(max_length=300, blank=True)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    # relayed: success towards a host without DSN. RFC 3464 §2.3.3
    relayed = models.BooleanField(default=False)
    told = models.BooleanField(
        default=False, help_text=_("the sender knows, or need not")
    )
    delay = models.CharField(
        max_length=4, choices=Delay.choices, default=Delay.NO, blank=True
    )

    class Meta:
        indexes = [
            # "what is due"
            models.Index(
                fields=["due"],
                condition=models.Q(state="queued"),
                name="queuerecipient_due",
            ),
            # "what the sender has to be told"
            models.Index(
                fields=["state"],
                condition=models.Q(told=False, state__in=["sent", "failed"]),
                name="queuerecipient_untold",
            ),
            # "whom to tell that it is late"
            models.Index(
                fields=["delay"],
                condition=models.Q(delay="due"),
                name="queuerecipient_delay",
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.address


class Attempt(models.Model):
    """One try to reach one domain with one message, and what was said."""

    message = models.ForeignKey(QueueMessage, models.CASCADE, related_name="tries")
    domain = models.CharField(max_length=255)
    at = models.DateTimeField(default=timezone.now)
    host = models.CharField(max_length=300, blank=True)
    address = models.CharField(max_length=64, blank=True)
    security = models.CharField(
        max_length=200, blank=True, help_text=_("TLS version, and who vouched for it")
    )
    outcome = models.CharField(max_length=300, blank=True)
    dialogue = models.TextField(blank=True, help_text=_("C: we said, S: they said"))

    @override
    def __str__(self) -> str:
        return f"{self.domain}: {self.outcome}"
