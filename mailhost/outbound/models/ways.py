"""Where mail goes, and how: routes, relayed domains, policies, addresses not tried."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class SmartRoute(models.Model):
    """Mail for a domain goes to this host instead of the domain's own."""

    class Tls(models.TextChoices):
        """How the connection is protected."""

        REQUIRED = "starttls", _("STARTTLS with a good certificate")
        IMPLICIT = "tls", _("TLS from the first octet, with a good certificate")
        MAYBE = "maybe", _("STARTTLS where it is offered, any certificate")

    domain = models.CharField(
        max_length=255,
        unique=True,
        help_text=_("example.org; .example.org for all below it; * for all"),
    )
    host = models.CharField(max_length=255, help_text=_("a name or an address"))
    port = models.PositiveIntegerField(default=587)
    tls = models.CharField(max_length=8, choices=Tls.choices, default=Tls.REQUIRED)
    login = models.CharField(max_length=320, blank=True)
    secret = models.TextField(blank=True, editable=False, help_text=_("encrypted"))
    active = models.BooleanField(default=True)

    @override
    def __str__(self) -> str:
        return f"{self.domain} → {self.host}"


class RelayDomain(models.Model):
    """A domain of others whose mail we take and hand on."""

    name = models.CharField(max_length=255, unique=True, help_text=_("A-label"))
    backup = models.BooleanField(
        default=True,
        help_text=_(
            "we are a backup MX: only servers of a better preference are tried;"
            " else a route says where its mail goes"
        ),
    )
    recipients = models.JSONField(
        default=list,
        blank=True,
        help_text=_("local parts that exist; empty: all are taken"),
    )
    active = models.BooleanField(default=True)

    @override
    def __str__(self) -> str:
        return self.name


class StsPolicy(models.Model):
    """What a domain's MTA-STS policy said when we last asked. RFC 8461 §3."""

    domain = models.CharField(max_length=255, unique=True)
    policy_id = models.CharField(max_length=32, blank=True)
    mode = models.CharField(max_length=8, help_text=_("enforce, testing or none"))
    hosts = models.JSONField(default=list, help_text=_("patterns of MX names"))
    text = models.TextField(blank=True)
    fetched_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    error = models.CharField(max_length=100, blank=True)
    checked_at = models.DateTimeField(default=timezone.now)

    @override
    def __str__(self) -> str:
        return f"{self.domain}: {self.mode}"


class Suppression(models.Model):
    """An address that refused for good: not tried again until this expires."""

    address = models.CharField(max_length=320, unique=True)
    status = models.CharField(max_length=11, blank=True)
    reply = models.TextField(blank=True)
    count = models.PositiveIntegerField(default=1, help_text=_("refusals so far"))
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)

    @override
    def __str__(self) -> str:
        return self.address
