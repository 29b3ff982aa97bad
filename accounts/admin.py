"""The admin of domains, users, accounts and addresses.

Who administers domains sees these alone; see scope.py. Users and accounts are
suspended, or deleted with a grace time: their mail would go at once.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts import (
    csvusers,
    invitations,
    limits,
    renaming,
    signals,
    standing,
    userimport,
)
from accounts.adminbase import Bounded, ModelAdmin, Revocable, TabularInline
from accounts.models import (
    Account,
    Address,
    AppPassword,
    Domain,
    ExternalIdentity,
    Membership,
    User,
)
from accounts.scope import domains_of
from accounts.signinadmin import LoginFailuresAdmin, LoginRecordAdmin, TokenAdmin
from accounts.userforms import AddressForm, NewUserForm, UserForm

__all__ = ["LoginFailuresAdmin", "LoginRecordAdmin", "TokenAdmin"]

if TYPE_CHECKING:  # generic for the type checker alone
    BaseUserAdmin = DjangoUserAdmin[User]
else:
    BaseUserAdmin = DjangoUserAdmin

LIMITS = ("most_accounts", "most_aliases", "most_quota_bytes")
STANDING = (
    *("is_active", "second_factor", "is_staff", "is_superuser"),
    *("groups", "user_permissions"),
)


class IdentityInline(Bounded, TabularInline):
    """Who they are at outside providers: a way in, which is the host's to give."""

    model = ExternalIdentity
    extra = 0
    bounded_may = frozenset[str]()


@admin.register(User)
class UserAdmin(Bounded, BaseUserAdmin, ModelAdmin):
    """People who log in."""

    form = UserForm
    add_form = NewUserForm
    add_form_template = "admin/change_form.html"
    change_list_template = "admin/accounts/user/change_list.html"
    ordering = ("email",)
    list_display = (
        *("email", "name", "is_active", "is_staff", "deleted", "date_joined"),
    )
    list_filter = (
        *("is_active", "account__deleted_at", "is_staff", "is_superuser", "groups"),
    )
    list_select_related = ("account",)
    search_fields = ("email", "name", "account__addresses__local_part")
    readonly_fields = ("date_joined", "last_login")
    inlines = (IdentityInline,)
    actions = (
        *("suspend", "suspend_taking_mail", "resume", "delete_later"),
        *("invite", "export"),
    )
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "language", "time_zone")}),
        (_("Standing"), {"fields": STANDING}),
        (_("Dates"), {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "quota_mb", "aliases")}),
        (_("Password"), {"fields": ("invite", "password1", "password2")}),
    )

    @admin.display(description=_("deleted"), ordering="account__deleted_at")
    def deleted(self, user: User) -> Any:
        """Return since when the account waits for its removal."""
        account = getattr(user, "account", None)
        return account.deleted_at if account is not None else None

    @override
    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None else ()

    @override
    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # What is compared letter by letter is read out letter by letter.
        if lookup.startswith(("password", "scram_")):
            return False
        return super().lookup_allowed(lookup, value, request)

    # ---- What an administrator of domains gets less of

    @override
    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None or domains_of(request.user) is None:
            return super().get_fieldsets(request, obj)
        return (self.fieldsets[0], self.fieldsets[2])

    @override
    def get_list_filter(self, request: HttpRequest) -> Any:
        bounded = domains_of(request.user) is not None
        return self.list_filter[:2] if bounded else self.list_filter

    @override
    def get_form(
        self, request: HttpRequest, obj: User | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, *args, **kwargs)
        domains = domains_of(request.user)
        names = None
        if domains is not None:
            names = list(domains.values_list("name", flat=True))
        return type(form.__name__, (form,), {"domains": names})

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # ---- Saving

    @override
    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        if change and "email" in form.changed_data:
            renaming.rename(User.objects.get(pk=obj.pk), obj.email)
        super().save_model(request, obj, form, change)
        if not change:
            form.finish(obj)
            if form.cleaned_data["invite"]:
                self._show_link(request, obj)

    def _show_link(self, request: HttpRequest, user: User) -> None:
        link = invitations.link(user, request)
        messages.success(request, f"{user.email}: {link}")

    @override
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_users)
        return [
            path("import/", view, name="accounts_user_import"),
            *super().get_urls(),
        ]

    def import_users(self, request: HttpRequest) -> HttpResponse:
        """Show the page of userimport.py."""

        def note(user: User, is_new: bool) -> None:  # noqa: FBT001 -- its only argument
            (self.log_addition if is_new else self.log_change)(request, user, "CSV")

        allowed = self.has_add_permission(request), self.has_change_permission(request)
        return userimport.page(request, self.admin_site, note, may=all(allowed))

    # ---- Actions

    @admin.action(
        description=_("Suspend: no login, no new mail"), permissions=["change"]
    )
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Lock them out, but not oneself."""
        for user in self._others(request, queryset, _("suspended")):
            standing.suspend(user)

    @admin.action(
        description=_("Suspend: no login, new mail is kept"), permissions=["change"]
    )
    def suspend_taking_mail(
        self, request: HttpRequest, queryset: QuerySet[User]
    ) -> None:
        """Lock them out; their mail goes on coming in."""
        for user in self._others(request, queryset, _("suspended, mail is kept")):
            standing.suspend(user, takes_mail=True)

    @admin.action(
        description=_("Resume what was suspended or deleted"), permissions=["change"]
    )
    def resume(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Let them in again."""
        for user in self._others(request, queryset, _("resumed")):
            standing.resume(user)

    @admin.action(
        description=_("Delete: closed now, removed after the grace time"),
        permissions=["change"],
    )
    def delete_later(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Close their accounts; resuming brings them back for some weeks."""
        for user in self._others(request, queryset, _("deleted")):
            standing.delete(Account.objects.get(owner=user))

    @admin.action(
        description=_("Make a link to set a new password"), permissions=["change"]
    )
    def invite(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Show a link for each; the old password is valid until it is used."""
        for user in self._others(request, queryset, _("link to set a password")):
            self._show_link(request, user)

    @admin.action(description=_("Export as CSV"), permissions=["view"])
    def export(
        self, request: HttpRequest, queryset: QuerySet[User]
    ) -> StreamingHttpResponse:
        """Return everything but passwords."""
        # The actions' own page may have joined; the rows themselves are wanted.
        rows = User.objects.filter(pk__in=queryset.values("pk")).order_by("email")
        return StreamingHttpResponse(
            csvusers.export(rows),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="users.csv"'},
        )

    def _others(
        self, request: HttpRequest, queryset: QuerySet[User], what: Any
    ) -> list[User]:
        """Note in the history what happens to these users; oneself is left out."""
        users = [user for user in queryset if user != request.user]
        for user in users:
            self.log_change(request, user, str(what))
        self.message_user(request, f"{what}: {len(users)}")
        return users


class MembershipInline(Bounded, TabularInline):
    """Who may use a shared account."""

    model = Membership
    extra = 0
    autocomplete_fields = ("user",)
    bounded_may = frozenset({"view", "add", "change", "delete"})

    @override
    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("group",) if domains_of(request.user) is not None else None

    @override
    def _may(self, what: str, request: HttpRequest, obj: Any, *parent: Any) -> bool:
        # Of a person's own account nobody but they lets others in.
        account = parent[0] if parent else obj
        personal = isinstance(account, Account) and account.owner_id is not None
        if personal and domains_of(request.user) is not None:
            return False
        return super()._may(what, request, obj, *parent)


@admin.register(Account)
class AccountAdmin(Bounded, ModelAdmin):
    """Owners of folders. New ones are shared: users get theirs by themselves."""

    list_display = (
        *("name", "kind", "owner", "domain", "quota_bytes", "quota_messages"),
        *("active", "deleted_at"),
    )
    list_filter = ("kind", "active", ("domain", admin.RelatedOnlyFieldListFilter))
    search_fields = ("name", "owner__email")
    ordering = ("name",)
    readonly_fields = ("kind", "owner", "deleted_at", "created_at")
    list_select_related = ("owner", "domain")
    autocomplete_fields = ("domain",)
    inlines = [MembershipInline]
    actions = ("delete_later", "restore")

    @override
    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        bounded = domains_of(request.user) is not None
        if bounded and "domain" in form.base_fields:
            # Without one it would be nobody's but the host's.
            form.base_fields["domain"].required = True
        return form

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        personal = obj is not None and obj.kind == Account.Kind.PERSONAL
        more = ("domain", "active", "takes_mail") if personal else ()
        return (*self.readonly_fields, *more)

    @admin.action(
        description=_("Delete: closed now, removed after the grace time"),
        permissions=["change"],
    )
    def delete_later(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        """Close shared accounts; people are deleted on their own page."""
        for account in queryset.filter(owner=None):
            standing.delete(account)
            self.log_change(request, account, str(_("deleted")))

    @admin.action(description=_("Restore what was deleted"), permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        """Open shared accounts again."""
        for account in queryset.filter(owner=None):
            standing.restore(account)
            self.log_change(request, account, str(_("restored")))

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
class DomainAdmin(Bounded, ModelAdmin):
    """Domains we answer for, and who administers them."""

    list_display = ("name", "unicode_name", "active", "catch_all")
    search_fields = ("name", "unicode_name")
    ordering = ("name",)
    autocomplete_fields = ("catch_all", "administrators")
    bounded_may = frozenset({"view", "change"})

    @admin.display(description=_("holds"))
    def held(self, domain: Domain) -> str:
        """Return what it holds of what it may."""
        return limits.told(domain)

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if domains_of(request.user) is not None:
            mine = ("name", "catch_all", "plus_separators", "own_aliases")
            return (*mine, "held", *LIMITS)
        return super().get_fields(request, obj)

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if domains_of(request.user) is not None:
            return ("name", "held", *LIMITS)
        return ("held",) if obj is not None else ()


@admin.register(Address)
class AddressAdmin(Bounded, ModelAdmin):
    """Where mail for an address goes."""

    form = AddressForm
    list_display = ("__str__", "active", "own")
    list_filter = ("active", ("domain", admin.RelatedOnlyFieldListFilter))
    bounded_may = frozenset({"view", "add", "change", "delete"})
    search_fields = ("local_part", "domain__name")
    ordering = ("domain__name", "local_part")
    list_select_related = ("domain",)
    autocomplete_fields = ("accounts",)

    @override
    def get_form(
        self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        made: Any = super().get_form(request, obj, *args, **kwargs)
        bounds = {"domains": domains_of(request.user)}
        form: Any = type(made.__name__, (made,), bounds)
        if obj is not None and "accounts" in form.base_fields:
            # Accounts out of bounds, which others put there, stay.
            field: Any = form.base_fields["accounts"]
            mine = Q(pk__in=field.queryset.values("pk"))
            field.queryset = Account.objects.filter(mine | Q(addresses=obj)).distinct()
        return form


@admin.register(AppPassword)
class AppPasswordAdmin(Bounded, Revocable):
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
        "last_client",
    )
    search_fields = ("user__email", "name")
    list_select_related = ("user",)
    fields = list_display
    bounded_may = frozenset({"view", "delete"})
