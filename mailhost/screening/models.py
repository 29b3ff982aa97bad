"""What administrators say about senders, and what greylisting remembers."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class Answer(models.TextChoices):
    """What is done with mail that fails DMARC."""

    OBEY = "obey", _("do as the domain asks")
    JUNK = "junk", _("file into Junk, even where it asks to refuse")
    IGNORE = "ignore", _("nothing")


class SenderPolicy(models.Model):
    """What holds for one sender's domain, instead of MAILHOST_DMARC."""

    domain = models.CharField(
        max_length=253,
        unique=True,
        help_text=_("as in From; holds for the domains below it too"),
    )
    dmarc = models.CharField(
        max_length=6, choices=Answer.choices, help_text=_("mail that fails DMARC")
    )
    note = models.TextField(blank=True)

    class Meta:
        verbose_name = _("sender policy")
        verbose_name_plural = _("sender policies")

    @override
    def __str__(self) -> str:
        return self.domain

    @override
    def clean(self) -> None:
        try:
            name = self.domain.strip().rstrip(".").encode("idna").decode().lower()
        except UnicodeError:
            raise ValidationError({"domain": _("This is no domain.")}) from None
        self.domain = name


class GreylistTry(models.Model):
    """Somebody unknown who was told to come again."""

    # Hex of the first 16 octets of SHA-256 over network, sender and recipient.
    key = models.CharField(max_length=32, primary_key=True)
    first_at = models.DateTimeField(db_index=True)  # "what is too old to count"

    @override
    def __str__(self) -> str:
        return self.key


class KnownNetwork(models.Model):
    """A network that came again, and is not asked to any more."""

    network = models.CharField(max_length=50, primary_key=True)
    last_at = models.DateTimeField(db_index=True)  # "what was not seen for long"

    class Meta:
        verbose_name = _("known network")
        verbose_name_plural = _("known networks")

    @override
    def __str__(self) -> str:
        return self.network


class StrangerCount(models.Model):
    """What one address or network brought in an hour, as all processes count it."""

    key = models.CharField(
        max_length=80, primary_key=True
    )  # what is counted, and whose
    count = models.PositiveIntegerField()
    until = models.DateTimeField(db_index=True)  # "whose hour has ended"

    class Meta:
        verbose_name = _("count of a stranger")
        verbose_name_plural = _("counts of strangers")

    @override
    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
