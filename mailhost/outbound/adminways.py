"""Routes, relayed domains, policies and addresses that are not tried, in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.names import fold_domain
from mailhost.outbound.adminbase import ModelAdmin, ReadOnly
from mailhost.outbound.models import RelayDomain, SmartRoute, StsPolicy, Suppression
from mailhost.sealing import sealed


class RouteForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A route; its password is written here and never shown."""

    password = forms.CharField(
        required=False,
        widget=forms.PasswordInput,
        help_text=_("empty: the one that is there stays"),
    )

    class Meta:
        model = SmartRoute
        fields = ("domain", "host", "port", "tls", "login", "password", "active")

    def clean_domain(self) -> str:
        """Compare as routes are looked up."""
        name = str(self.cleaned_data["domain"]).strip().lower()
        if name == "*":
            return name
        return ("." if name[:1] == "." else "") + fold_domain(name.lstrip("."))

    @override
    def clean(self) -> dict[str, Any]:
        """A password goes over TLS alone."""
        found = super().clean() or self.cleaned_data
        if found.get("login") and found.get("tls") == SmartRoute.Tls.MAYBE:
            raise forms.ValidationError(_("A login wants TLS with a good certificate."))
        return found


@admin.register(SmartRoute)
class SmartRouteAdmin(ModelAdmin):
    """Where mail for a domain goes instead of to its own servers."""

    form = RouteForm
    list_display = ("domain", "host", "port", "tls", "login", "active")
    search_fields = ("domain", "host")

    @override
    def save_model(
        self, request: HttpRequest, obj: SmartRoute, form: Any, change: bool
    ) -> None:
        if password := form.cleaned_data["password"]:
            obj.secret = sealed("route", password)
        elif not obj.login:
            obj.secret = ""
        super().save_model(request, obj, form, change)


class RelayForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A domain of others."""

    class Meta:
        model = RelayDomain
        fields = ("name", "backup", "recipients", "active")

    def clean_name(self) -> str:
        """Compare as addresses are."""
        return fold_domain(self.cleaned_data["name"])


@admin.register(RelayDomain)
class RelayDomainAdmin(ModelAdmin):
    """Domains of others that we take mail for."""

    form = RelayForm
    list_display = ("name", "backup", "active")
    search_fields = ("name",)


@admin.register(StsPolicy)
class StsPolicyAdmin(ReadOnly):
    """What other domains ask of connections to them; deleted, it is fetched anew."""

    list_display = ("domain", "mode", "policy_id", "expires_at", "error")
    list_filter = ("mode",)
    search_fields = ("domain",)


@admin.register(Suppression)
class SuppressionAdmin(ModelAdmin):
    """Addresses that are not tried; deleted, they are again."""

    list_display = ("address", "status", "count", "expires_at", "reply")
    search_fields = ("address",)
    fields = ("address", "status", "reply", "count", "expires_at", "created_at")
    readonly_fields = ("created_at",)

    @override
    def save_model(
        self, request: HttpRequest, obj: Suppression, form: Any, change: bool
    ) -> None:
        obj.address = obj.address.lower()
        super().save_model(request, obj, form, change)
