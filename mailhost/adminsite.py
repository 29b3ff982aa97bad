"""The admin site with mailhost's name on it."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class MailhostAdminSite(AdminSite):
    """The site at /admin/; its login is the same door as everybody's."""

    site_header = _("mailhost administration")
    site_title = _("mailhost")
    index_title = _("What this host holds")

    @override
    def has_permission(self, request: HttpRequest) -> bool:
        from accounts.scope import may_administer  # not before the apps are ready

        return may_administer(request.user)

    @override
    def password_change(  # type: ignore[override]  # a redirect is an answer, too
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send staff where everybody changes theirs."""
        return HttpResponseRedirect(reverse("account"))

    @override
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send who is nobody yet to the one login, which asks for second factors."""
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        if request.user.is_authenticated:
            raise PermissionDenied
        to = request.GET.get("next", reverse("admin:index"))
        return redirect_to_login(to)
