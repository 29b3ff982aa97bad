"""Certificates in the admin: until when, what failed and why; ask anew."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.adminbase import ReadOnly, Revocable
from mailhost.certificates import status, wanted
from mailhost.certificates.models import AcmeAccount, IssuedCertificate

STATES = {
    "good": _("good"),
    "missing": _("not issued yet"),
    "failing": _("renewal fails"),
    "ending": _("ends soon"),
    "ended": _("ended"),
    "unwanted": _("no longer wanted"),
}


@admin.register(IssuedCertificate)
class IssuedCertificateAdmin(ReadOnly):
    """What an authority issued for the names of this installation; keys stay hidden."""

    list_display = ("name", "state", "days_left", "error", "renew_at")
    list_filter = (("error", admin.EmptyFieldListFilter), "directory")
    search_fields = ("name", "error")
    ordering = ("name",)
    fields = (
        *("name", "state", "days_left", "begins_at", "ends_at", "renew_at"),
        *("fetched_at", "directory", "tried_at", "failures", "error", "tlsa"),
    )
    actions = ("ask_now",)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("secret")

    @admin.display(description=_("state"))
    def state(self, row: IssuedCertificate) -> str:
        """Say in words how it stands."""
        return str(STATES[status.state(row)])

    @admin.display(description=_("days left"), ordering="ends_at")
    def days_left(self, row: IssuedCertificate) -> int | None:
        """Return the whole days until it ends."""
        return status.days_left(row)

    @admin.display(description=_("TLSA record of its key (DANE)"))
    def tlsa(self, row: IssuedCertificate) -> str:
        """Return what to publish."""
        return status.of(row).tlsa

    def has_ask_permission(self, request: HttpRequest) -> bool:
        """Tell whether they may say when the authority is asked."""
        user: Any = request.user
        return bool(user.has_perm("certificates.change_issuedcertificate"))

    @admin.action(description=_("Request anew now"), permissions=["ask"])
    def ask_now(
        self, request: HttpRequest, queryset: QuerySet[IssuedCertificate]
    ) -> None:
        """Have them issued by the next host that has time."""
        names = queryset.values_list("name", flat=True)
        asked = sum(wanted.ask_now(name) for name in names)
        text = _("%(count)s certificates are asked for; look again in a minute.")
        self.message_user(request, text % {"count": asked})


@admin.register(AcmeAccount)
class AcmeAccountAdmin(Revocable):
    """Who we are to an authority; deleted, it is made anew at the next request."""

    list_display = ("directory", "contact", "address", "created_at")
    fields = list_display
