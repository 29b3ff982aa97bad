"""The bases of our admin pages; every change says from which address it was made."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from typing_extensions import override

from accounts.limits import DomainFull
from accounts.scope import domains_of, within

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[Any]
    BaseInline = admin.TabularInline[Any, Any]
else:
    BaseAdmin = admin.ModelAdmin
    BaseInline = admin.TabularInline


def from_where(request: HttpRequest, entry: LogEntry) -> LogEntry:
    """Add the address that a change came from to its line in the history."""
    address = request.META.get("REMOTE_ADDR", "")
    said = entry.get_change_message()
    entry.change_message = f"{said} [{address}]".strip()
    entry.save(update_fields=["change_message"])
    return entry


class ModelAdmin(BaseAdmin):
    """ModelAdmin, generic for the type checker alone, with addresses in the history."""

    @override
    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        try:
            found: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except DomainFull as full:  # the form has not foreseen it; nothing is saved
            messages.error(request, " ".join(full.messages))
            return HttpResponseRedirect(request.get_full_path())
        return found

    @override
    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return from_where(request, super().log_addition(request, obj, message))

    @override
    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return from_where(request, super().log_change(request, obj, message))


class TabularInline(BaseInline):
    """TabularInline, generic for the type checker alone."""


class Bounded:
    """Shows the rows and choices of the domains that somebody administers.

    For who has no bounds Django's permissions count. A mixin, before its base.
    """

    # What administrators of a domain may do with its rows.
    bounded_may = frozenset({"view", "add", "change"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return what there is, within bounds."""
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]  # a mixin
        domains = domains_of(request.user)
        if domains is None:
            return rows
        return rows.filter(pk__in=within(rows.model, domains).values("pk"))

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer what is within bounds."""
        self._bound(db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]  # a mixin

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer what is within bounds."""
        self._bound(db_field, request, kwargs)
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]  # a mixin

    @staticmethod
    def _bound(db_field: Any, request: HttpRequest, kwargs: dict[str, Any]) -> None:
        domains = domains_of(request.user)
        if domains is not None:
            kwargs["queryset"] = within(db_field.related_model, domains)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Tell whether the model is listed."""
        return self._may("view", request, None)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether they may look."""
        return self._may("view", request, obj)

    def has_add_permission(self, request: HttpRequest, *parent: Any) -> bool:
        """Tell whether they may add one."""
        return self._may("add", request, None, *parent)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether they may change it."""
        return self._may("change", request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether they may delete it."""
        return self._may("delete", request, obj)

    def _may(self, what: str, request: HttpRequest, obj: Any, *parent: Any) -> bool:
        domains = domains_of(request.user)
        if domains is None:
            return self._django_says(what, request, obj, *parent)
        if what not in self.bounded_may:
            return False
        model: type[Model] = self.model  # type: ignore[attr-defined]  # a mixin
        if obj is None or not isinstance(obj, model):
            return True
        return within(model, domains).filter(pk=obj.pk).exists()

    def _django_says(
        self, what: str, request: HttpRequest, obj: Any, *parent: Any
    ) -> bool:
        base: Any = super()
        if what == "add":
            return bool(base.has_add_permission(request, *parent))
        return bool(getattr(base, f"has_{what}_permission")(request, obj))


class ReadOnly(ModelAdmin):
    """Rows to look at; what changes them is elsewhere."""

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Revocable(ReadOnly):
    """Rows to look at, and to take back by deleting them."""

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super(ReadOnly, self).has_delete_permission(request, obj)
