"""The admin of what the servers keep; open connections, to look at and to end."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.adminbase import Bounded, ModelAdmin, ReadOnly
from protocols import connections
from protocols.models import ClientQuirk, OpenConnection


@admin.register(ClientQuirk)
class ClientQuirkAdmin(ModelAdmin):
    """Counts for connections that say their ID from a few seconds later on."""

    list_display = ("name", "version", "hidden", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "hidden", "reason")


@admin.register(OpenConnection)
class OpenConnectionAdmin(Bounded, ReadOnly):
    """Who is connected now, by all protocols."""

    list_display = (
        "login", "service", "address", "client", "tls", "since", "connection_id"
    )  # fmt: skip
    list_filter = ("service", "tls")
    search_fields = ("login", "address", "client")
    fields = (*list_display, "worker")
    actions = ("end",)
    bounded_may = frozenset[str]()

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[OpenConnection]:
        return super().get_queryset(request) & connections.connected()

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Who may delete the row may end what it shows."""
        user: Any = request.user
        return bool(user.has_perm("protocols.delete_openconnection"))

    @admin.action(description=_("End these connections"), permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[OpenConnection]) -> None:
        """End them, in whichever process they are, within a second."""
        for row in queryset:
            connections.kick(row.connection_id)
            self.log_change(request, row, f"ended {row}")
