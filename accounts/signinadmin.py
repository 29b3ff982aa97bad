"""The admin of what logins leave behind: tokens, failures, each user's log."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Token
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from typing_extensions import override

from accounts.adminbase import Bounded, ReadOnly, Revocable
from accounts.models import LoginFailures, LoginRecord
from accounts.provider import TRAPS

admin.site.unregister(Token)  # allauth's own shows and changes more
admin.site.unregister(EmailAddress)  # addresses are ours


@admin.register(Token)
class TokenAdmin(Bounded, Revocable):
    """Tokens of programs: to look at, and to revoke by deleting."""

    list_display = ("type", "client", "user", "scopes", "created_at", "expires_at")
    list_filter = ("type",)
    search_fields = ("user__email", "client__name")
    list_select_related = ("user", "client")
    ordering = ("-pk",)
    fields = list_display
    bounded_may = frozenset({"view", "delete"})

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).exclude(type__in=TRAPS)


@admin.register(LoginFailures)
class LoginFailuresAdmin(Bounded, Revocable):
    """From where, and for whom, logins fail; deleting a row lifts the ban."""

    list_display = ("kind", "address", "login", "failures", "last_at", "wait_until")
    list_filter = ("kind",)
    search_fields = ("address", "login")
    ordering = ("-last_at",)
    fields = list_display
    bounded_may = frozenset[str]()  # an address may be of anybody's


@admin.register(LoginRecord)
class LoginRecordAdmin(Bounded, ReadOnly):
    """Every user's log of logins."""

    list_display = (
        *("last_at", "user", "protocol", "result", "reason"),
        *("address", "client", "times"),
    )
    list_filter = ("result", "protocol")
    search_fields = ("user__email", "address", "client")
    list_select_related = ("user",)
    ordering = ("-last_at",)
    show_full_result_count = False
    fields = list_display
    bounded_may = frozenset({"view"})
