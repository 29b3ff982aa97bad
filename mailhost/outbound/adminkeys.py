"""DKIM keys in the admin: made and rotated here, published by pasting; never shown."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import Domain
from mailhost.outbound import dkimkeys
from mailhost.outbound.adminbase import ModelAdmin
from mailhost.outbound.models import DkimKey


class NewKeys(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A domain of ours that gets keys."""

    domain = forms.ModelChoiceField(Domain.objects.order_by("name"))

    class Meta:
        model = DkimKey
        fields = ("domain",)

    def clean_domain(self) -> str:
        """Return the name."""
        return str(self.cleaned_data["domain"].name)


@admin.register(DkimKey)
class DkimKeyAdmin(ModelAdmin):
    """Keys that sign what leaves in a domain's name."""

    list_display = ("domain", "selector", "kind", "phase", "created_at")
    list_filter = ("phase", "kind", "domain")
    ordering = ("domain", "phase", "selector")
    readonly_fields = (*("domain", "selector", "kind", "phase", "created_at"), "dns")
    fields = readonly_fields
    actions = ("rotate",)

    @override
    def get_form(
        self, request: HttpRequest, obj: Any | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        if obj is None:
            kwargs |= {"form": NewKeys, "fields": ("domain",)}
        return super().get_form(request, obj, *args, **kwargs)

    @override
    def get_fields(self, request: HttpRequest, obj: Any | None = None) -> Any:
        return ("domain",) if obj is None else self.fields

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> Any:
        return () if obj is None else self.readonly_fields

    @override
    def save_model(
        self, request: HttpRequest, obj: DkimKey, form: Any, change: bool
    ) -> None:
        if change:
            return
        made = dkimkeys.make(obj.domain)
        first = dkimkeys.keys_of(obj.domain)[0]
        obj.pk, obj.selector = first.pk, first.selector
        dkimkeys.signing_keys.forget()
        text = _("%(count)s keys were made. Publish their records.")
        self.message_user(request, text % {"count": len(made)})

    @admin.display(description=_("TXT record to publish"))
    def dns(self, row: DkimKey) -> str:
        """Return the record, as name and text and as a zone file has it."""
        name, text = dkimkeys.record(row)
        line = dkimkeys.zone_line(row)
        return format_html("<pre>{}\n\n{}\n\n{}</pre>", name, text, line)

    @admin.action(description=_("Let the next keys of the domain sign"))
    def rotate(self, request: HttpRequest, queryset: QuerySet[DkimKey]) -> None:
        """Rotate the domains of the chosen keys; their next ones must be published."""
        if not self.has_change_permission(request):
            return
        for domain in sorted(set(queryset.values_list("domain", flat=True))):
            missing = dkimkeys.unpublished_next(domain)
            if missing:
                text = _("Not rotated: DNS does not have %(names)s yet.")
                self.message_user(request, text % {"names": missing}, "error")
                continue
            dkimkeys.rotate(domain)
            dkimkeys.signing_keys.forget()
            text = _("%(domain)s: the next keys sign now; publish the new next ones.")
            self.message_user(request, text % {"domain": domain})
