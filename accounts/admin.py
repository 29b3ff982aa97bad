"""The admin of domains, users, accounts and addresses.

Users and accounts are suspended here, not deleted: their mail would go at once.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.forms import UserChangeForm as DjangoUserChangeForm
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts import signals, standing
from accounts.adminbase import ModelAdmin, ReadOnly, TabularInline
from accounts.models import (
    Account,
    Address,
    AppPassword,
    Domain,
    Membership,
    User,
    normalise_email,
)

if TYPE_CHECKING:  # generic for the type checker alone
    BaseUserAdmin = DjangoUserAdmin[User]
    CreationForm = AdminUserCreationForm[User]
    ChangeForm = DjangoUserChangeForm[User]
else:
    BaseUserAdmin = DjangoUserAdmin
    CreationForm = AdminUserCreationForm
    ChangeForm = DjangoUserChangeForm


class NewUserForm(CreationForm):
    """A new user: e-mail address, name, password."""

    class Meta:
        model = User
        fields = ("email", "name")
        field_classes: dict[str, type] = {}

    def clean_email(self) -> str:
        """Compare as logins do."""
        return normalise_email(self.cleaned_data["email"])


class UserForm(ChangeForm):
    """A user who is there."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, type] = {}

    def clean_email(self) -> str:
        """Compare as logins do."""
        return normalise_email(self.cleaned_data["email"])


@admin.register(User)
class UserAdmin(BaseUserAdmin):
    """People who log in."""

    form = UserForm
    add_form = NewUserForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_fields = ("email", "name")
    readonly_fields = ("date_joined", "last_login")
    actions = ["suspend", "resume"]
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "language", "time_zone")}),
        (
            _("Standing"),
            {
                "fields": (
                    "is_active",
                    "is_staff",
                    "is_superuser",
                    "groups",
                    "user_permissions",
                )
            },
        ),
        (_("Dates"), {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (
            None,
            {"fields": ("email", "name", "usable_password", "password1", "password2")},
        ),
    )

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(
        description=_("Suspend: no login, no new mail"), permissions=["change"]
    )
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Lock them out, but not oneself."""
        for user in queryset:
            if user != request.user:
                standing.suspend(user)

    @admin.action(description=_("Resume what was suspended"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Let them in again."""
        for user in queryset:
            standing.resume(user)


class MembershipInline(TabularInline):
    """Who may use a shared account."""

    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Account)
class AccountAdmin(ModelAdmin):
    """Owners of folders. New ones are shared: users get theirs by themselves."""

    list_display = ("name", "kind", "owner", "quota_bytes", "quota_messages", "active")
    list_filter = ("kind", "active")
    search_fields = ("name", "owner__email")
    readonly_fields = ("kind", "owner", "created_at")
    list_select_related = ("owner",)
    inlines = [MembershipInline]

    @override
    def save_model(
        self,
        request: HttpRequest,
        obj: Account,
        form: "ModelForm[Account]",
        change: bool,
    ) -> None:
        if not change:
            obj.kind = Account.Kind.SHARED
        super().save_model(request, obj, form, change)
        if not change:
            signals.account_created.send(Account, account=obj)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Domain)
class DomainAdmin(ModelAdmin):
    """Domains we answer for."""

    list_display = ("name", "unicode_name", "active", "catch_all")
    search_fields = ("name", "unicode_name")
    autocomplete_fields = ("catch_all",)


@admin.register(Address)
class AddressAdmin(ModelAdmin):
    """Where mail for an address goes."""

    list_display = ("__str__", "active")
    list_filter = ("active", "domain")
    search_fields = ("local_part", "domain__name")
    list_select_related = ("domain",)
    autocomplete_fields = ("accounts",)


@admin.register(AppPassword)
class AppPasswordAdmin(ReadOnly):
    """Passwords of devices: to look at, and to revoke by deleting."""

    list_display = (
        "name",
        "user",
        "scopes",
        "created_at",
        "expires_at",
        "last_used_at",
        "last_address",
        "last_protocol",
    )
    search_fields = ("user__email", "name")
    list_select_related = ("user",)
    fields = list_display

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user: Any = request.user
        return bool(user.has_perm("accounts.delete_apppassword"))
