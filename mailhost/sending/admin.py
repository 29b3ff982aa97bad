"""Who may send how much, who is held, and what waits for its time."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.adminbase import ModelAdmin, ReadOnly
from mailhost.sending import limits
from mailhost.sending.models import Scheduled, Sender, SendingDay


@admin.register(Sender)
class SenderAdmin(ModelAdmin):
    """Limits of single users, and those who are held."""

    list_display = (
        *("user", "messages_a_day", "new_recipients_a_day", "keeps_copy"),
        *("held_at", "held_why"),
    )
    list_filter = (("held_at", admin.EmptyFieldListFilter), "keeps_copy")
    search_fields = ("user__email",)
    autocomplete_fields = ("user",)
    readonly_fields = ("held_at", "held_why")
    list_select_related = ("user",)
    actions = ("hold", "release")

    @admin.action(description=_("Hold what they send"), permissions=["change"])
    def hold(self, request: HttpRequest, queryset: QuerySet[Sender]) -> None:
        """Stop them, until somebody says so."""
        for row in queryset:
            limits.hold(row.pk, f"by {request.user}")

    @admin.action(description=_("Release, and count anew"), permissions=["change"])
    def release(self, request: HttpRequest, queryset: QuerySet[Sender]) -> None:
        """Let them send again; what was held goes out."""
        for row in queryset:
            limits.release(row.pk)
        self.message_user(request, _("They may send again."))


@admin.register(SendingDay)
class SendingDayAdmin(ReadOnly):
    """How much was sent, a day at a time."""

    list_display = ("user", "day", "messages", "new_recipients")
    list_filter = ("day",)
    search_fields = ("user__email",)
    list_select_related = ("user",)
    ordering = ("-day", "-messages")


@admin.register(Scheduled)
class ScheduledAdmin(ReadOnly):
    """Messages that wait; deleting one calls it off. Their text is not shown."""

    list_display = ("id", "user", "due", "size", "created_at")
    search_fields = ("user__email",)
    list_select_related = ("user",)
    ordering = ("due",)
    exclude = ("octets", "received", "envelope")

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Scheduled]:
        return super().get_queryset(request).defer("octets", "received")

    @override
    def has_delete_permission(
        self, request: HttpRequest, obj: Scheduled | None = None
    ) -> bool:
        return request.user.has_perm("sending.delete_scheduled")
