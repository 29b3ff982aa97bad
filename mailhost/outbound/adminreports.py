"""Reports of other servers on our mail, as pages that can be read."""

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from mailhost.outbound.adminbase import ReadOnly
from mailhost.outbound.models import (
    DmarcRecord,
    ReceivedReport,
    ReportRun,
    TlsOutcome,
)


@admin.register(ReceivedReport)
class ReceivedReportAdmin(ReadOnly):
    """What another server says of a day's mail."""

    list_display = (
        *("domain", "kind", "reporter", "begins_at", "good", "bad", "received_at"),
    )
    list_filter = ("kind", "domain")
    search_fields = ("domain", "reporter")
    ordering = ("-begins_at",)
    fields = readonly_fields = (
        *("kind", "domain", "reporter", "report_id", "begins_at", "ends_at"),
        *("good", "bad", "table"),
    )

    @admin.display(description=_("rows"))
    def table(self, row: ReceivedReport) -> SafeString:
        """Return the rows, the bad ones first."""
        worst = sorted(row.rows, key=_is_good)
        made = render_to_string(f"dsn/{row.kind}.html", {"rows": worst[:500]})
        return mark_safe(made)  # noqa: S308 - the template escapes


def _is_good(row: dict[str, object]) -> tuple[bool, int]:
    count = row.get("bad") or row.get("count") or 0
    return bool(row.get("passed", not row.get("bad"))), -int(str(count))


@admin.register(TlsOutcome)
class TlsOutcomeAdmin(ReadOnly):
    """How TLS went with other domains, by day."""

    list_display = ("day", "domain", "policy_type", "failure", "host", "count")
    list_filter = ("day", "policy_type", "failure")
    search_fields = ("domain", "host")
    ordering = ("-day", "domain")


@admin.register(DmarcRecord)
class DmarcRecordAdmin(ReadOnly):
    """What was seen of other domains' mail, by day."""

    list_display = ("day", "domain", "count", "report_to")
    search_fields = ("domain",)
    ordering = ("-day", "domain")


@admin.register(ReportRun)
class ReportRunAdmin(ReadOnly):
    """The reports that we sent."""

    list_display = ("kind", "day", "domain", "outcome", "created_at")
    list_filter = ("kind", "day")
    search_fields = ("domain",)
    ordering = ("-created_at",)


__all__ = ["ReceivedReportAdmin"]
