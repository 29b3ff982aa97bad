"""Outgoing mail in the admin: the queue, and why something is still in it."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from mailhost.outbound import wake
from mailhost.outbound.adminbase import ModelAdmin, ReadOnly, TabularInline
from mailhost.outbound.adminkeys import DkimKeyAdmin
from mailhost.outbound.adminreports import ReceivedReportAdmin
from mailhost.outbound.adminways import SmartRouteAdmin
from mailhost.outbound.models import Attempt, QueueMessage, QueueRecipient, State

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

__all__ = [
    "DkimKeyAdmin",
    "ModelAdmin",
    "QueueMessageAdmin",
    "QueueRecipientAdmin",
    "ReceivedReportAdmin",
    "SmartRouteAdmin",
]


@admin.register(QueueRecipient)
class QueueRecipientAdmin(ReadOnly):
    """One address that a message has to reach."""

    list_display = (
        *("address", "state", "due", "attempts", "status", "last_reply"),
        *("sender", "last_attempt_at"),
    )
    list_filter = ("state", "due")
    search_fields = ("address", "domain", "message__mail_from")
    list_select_related = ("message",)
    ordering = ("due",)
    actions = ("retry_now", "hold", "drop")

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[QueueRecipient]:
        return super().get_queryset(request).defer("message__octets")

    @admin.display(description=_("sender"), ordering="message__mail_from")
    def sender(self, row: QueueRecipient) -> str:
        """Return who sent it."""
        return f"<{row.message.mail_from}>"

    @admin.action(description=_("Try again now (and release)"), permissions=["change"])
    def retry_now(
        self, request: HttpRequest, queryset: QuerySet[QueueRecipient]
    ) -> None:
        """Make what waits or is held due now."""
        self._move(request, queryset, State.QUEUED, due=timezone.now())
        wake.tell()

    @admin.action(description=_("Hold"), permissions=["change"])
    def hold(self, request: HttpRequest, queryset: QuerySet[QueueRecipient]) -> None:
        """Stop trying until somebody says so."""
        self._move(request, queryset, State.HELD)

    @admin.action(description=_("Drop, without telling the sender"))
    def drop(self, request: HttpRequest, queryset: QuerySet[QueueRecipient]) -> None:
        """Give up; the sender hears nothing."""
        if self.has_delete_permission(request):
            self._move(request, queryset, State.DROPPED, told=True)

    def _move(
        self,
        request: HttpRequest,
        queryset: QuerySet[QueueRecipient],
        state: State,
        **more: Any,
    ) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        waiting = QueueRecipient.objects.filter(
            pk__in=ids, state__in=[State.QUEUED, State.HELD, State.JUNK]
        )
        count = waiting.update(state=state, **more)
        self.message_user(request, _("%(count)s recipients") % {"count": count})


class RecipientInline(TabularInline):
    """The recipients of a message."""

    model = QueueRecipient
    fields = readonly_fields = (
        *("address", "state", "due", "attempts", "status", "last_host", "last_reply"),
    )
    extra = 0
    can_delete = False


class AttemptInline(TabularInline):
    """What was tried, and what was said: why it is still here."""

    model = Attempt
    fields = readonly_fields = (
        *("at", "domain", "host", "address", "security", "outcome", "conversation"),
    )
    exclude = ("dialogue",)
    extra = 0
    can_delete = False
    ordering = ("-at",)
    verbose_name_plural = _("attempts")

    @admin.display(description=_("conversation"))
    def conversation(self, row: Attempt) -> "SafeString":
        """Return the lines, folded away."""
        return format_html(
            "<details><summary>{}</summary><pre>{}</pre></details>",
            _("show"),
            row.dialogue,
        )


@admin.register(QueueMessage)
class QueueMessageAdmin(ReadOnly):
    """A message on its way out; its text is not shown."""

    list_display = ("id", "mail_from", "size", "created_at", "expires_at")
    search_fields = ("mail_from",)
    ordering = ("-created_at",)
    exclude = ("octets",)
    inlines = (RecipientInline, AttemptInline)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[QueueMessage]:
        return super().get_queryset(request).defer("octets")
