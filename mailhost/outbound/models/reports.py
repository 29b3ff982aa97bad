"""What is reported to others, and by others: TLS (RFC 8460) and DMARC (RFC 7489)."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class TlsOutcome(models.Model):
    """How many sessions of one day with one domain ended in one way."""

    day = models.DateField()
    domain = models.CharField(max_length=255)
    policy_type = models.CharField(max_length=16)
    policy = models.JSONField(default=dict)
    failure = models.CharField(
        max_length=40, blank=True, help_text=_("RFC 8460 §4.3; empty: success")
    )
    host = models.CharField(max_length=255, blank=True)
    address = models.CharField(max_length=64, blank=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="tlsoutcome_one",
                fields=[
                    *("day", "domain", "policy_type", "failure", "host", "address"),
                ],
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.day} {self.domain}: {self.failure or 'success'} {self.count}"


class DmarcRecord(models.Model):
    """What was seen of one author domain on one day from one address."""

    day = models.DateField()
    domain = models.CharField(max_length=255, help_text=_("whose policy it was"))
    report_to = models.TextField(help_text=_("rua of the policy"))
    policy = models.JSONField(default=dict)
    row = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, help_text=_("of policy and row"))
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "domain", "digest"], name="dmarcrecord_one"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.day} {self.domain}: {self.count}"


class ReportRun(models.Model):
    """A report of one day to one domain: made once, whoever runs."""

    kind = models.CharField(max_length=8)
    day = models.DateField()
    domain = models.CharField(max_length=255)
    outcome = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "day", "domain"], name="reportrun_one"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.day} {self.domain}"


class ReceivedReport(models.Model):
    """A report that another server sent on mail from one of our domains."""

    class Kind(models.TextChoices):
        """What it is about."""

        DMARC = "dmarc", "DMARC"
        TLS = "tls", "TLS"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    domain = models.CharField(max_length=255)
    reporter = models.CharField(max_length=255)
    report_id = models.CharField(max_length=255)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    good = models.PositiveBigIntegerField(default=0)
    bad = models.PositiveBigIntegerField(default=0)
    rows = models.JSONField(default=list)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "domain", "reporter", "report_id"],
                name="receivedreport_one",
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.reporter}: {self.domain} {self.begins_at:%Y-%m-%d}"
