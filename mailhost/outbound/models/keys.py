"""Keys that we made: of DKIM, of rewritten senders. Kept encrypted, never shown."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class DkimKey(models.Model):
    """A key of a domain under a selector. RFC 6376 §3.1."""

    class Kind(models.TextChoices):
        """The algorithm."""

        RSA = "rsa", "RSA-2048"
        ED25519 = "ed25519", "Ed25519"

    class Phase(models.TextChoices):
        """Where it is in its life."""

        NEXT = "next", _("published before it signs")
        ACTIVE = "active", _("signs")
        OLD = "old", _("published until what it signed has arrived")

    domain = models.CharField(max_length=255)
    selector = models.CharField(max_length=63)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    phase = models.CharField(max_length=8, choices=Phase.choices)
    secret = models.TextField(editable=False, help_text=_("encrypted"))
    public = models.TextField(editable=False, help_text=_("base64, as in the record"))
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["domain", "selector"], name="dkimkey_domain_selector"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"


class SrsKey(models.Model):
    """A secret that rewritten senders are signed with; the newest signs."""

    secret = models.TextField(editable=False, help_text=_("encrypted"))
    created_at = models.DateTimeField(default=timezone.now)

    @override
    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d}"
