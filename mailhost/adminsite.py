"""The admin site with mailhost's name on it."""

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class LoginForm(AdminAuthenticationForm):
    """Staff, and who administers a domain."""

    @override
    def confirm_login_allowed(self, user: object) -> None:
        from accounts.scope import may_administer  # not before the apps are ready

        if not may_administer(user):
            raise self.get_invalid_login_error()


class MailhostAdminSite(AdminSite):
    """The site at /admin/; its login is the same door as everybody's."""

    site_header = _("mailhost administration")
    site_title = _("mailhost")
    index_title = _("What this host holds")
    login_form = LoginForm

    @override
    def has_permission(self, request: HttpRequest) -> bool:
        from accounts.scope import may_administer  # not before the apps are ready

        return may_administer(request.user)
