"""The jobs in the admin: what waits, what failed and why; run one now."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.adminbase import ReadOnly
from mailhost.jobs.models import Job


@admin.register(Job)
class JobAdmin(ReadOnly):
    """One thing to be done."""

    list_display = ("name", "key", "due", "ran_at", "attempts", "error")
    list_filter = ("name", ("error", admin.EmptyFieldListFilter))
    search_fields = ("name", "key", "error")
    ordering = ("due",)
    readonly_fields = ("owner", "lease_until", "ran_at")
    actions = ("run_now",)

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Tell whether they may say when a job runs."""
        return request.user.has_perm("jobs.change_job")

    @admin.action(description=_("Run now"), permissions=["run"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Make these due now; what runs already is left alone."""
        waiting = queryset.filter(owner=None)
        count = waiting.update(due=timezone.now(), attempts=0)
        self.message_user(request, _("%(count)s jobs") % {"count": count})
