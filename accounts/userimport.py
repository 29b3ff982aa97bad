"""The admin's page that imports people: a file, what it would do, then doing it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.sites import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from typing_extensions import override

from accounts import csvusers, invitations
from accounts.limits import DomainFull
from accounts.models import User
from accounts.scope import domains_of, users_in

MOST_OCTETS = 2 * 1024 * 1024
TEMPLATE = "admin/accounts/user/import.html"
Note = Callable[[User, bool], None]


class ImportForm(forms.Form):
    """The lines, from a file or as text; `sure`: do it."""

    file = forms.FileField(label=gettext_lazy("CSV file"), required=False)
    text = forms.CharField(
        label=gettext_lazy("or its text"), required=False, max_length=MOST_OCTETS,
        widget=forms.Textarea(attrs={"rows": 8}), strip=False,
    )  # fmt: skip

    @override
    def clean(self) -> dict[str, Any]:
        """Return the text, wherever it came from."""
        cleaned = super().clean() or self.cleaned_data
        upload = cleaned.get("file")
        if upload is not None:
            if upload.size > MOST_OCTETS:
                raise ValidationError(_("The file is too large."))
            try:
                cleaned["text"] = upload.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                raise ValidationError(_("The file is not UTF-8.")) from None
        if not cleaned.get("text"):
            raise ValidationError(_("There is nothing to import."))
        return cleaned


def page(
    request: HttpRequest, site: AdminSite, note: Note, *, may: bool
) -> HttpResponse:
    """Show the form; with lines, what they want; when sure, do it."""
    if not may:
        raise PermissionDenied
    form = ImportForm(request.POST or None, request.FILES or None)
    lines: list[csvusers.Line] = []
    if request.method == "POST" and form.is_valid():
        lines = _read(request, form)
    if lines and request.POST.get("sure") and not any(line.errors for line in lines):
        try:
            return _do(request, lines, note)
        except DomainFull as full:  # somebody else was faster; nothing is done
            form.add_error(None, full)
    context = {
        **site.each_context(request),
        "title": _("Import users"),
        "opts": User._meta,  # noqa: SLF001 - the admin's templates want it
        "form": form,
        "lines": lines,
        "text": form.cleaned_data.get("text", "") if form.is_bound else "",
        "is_good": bool(lines) and not any(line.errors for line in lines),
        "columns": ", ".join(csvusers.COLUMNS),
    }
    return TemplateResponse(request, TEMPLATE, context)


def _read(request: HttpRequest, form: ImportForm) -> list[csvusers.Line]:
    domains = domains_of(request.user)
    names = None if domains is None else list(domains.values_list("name", flat=True))
    try:
        lines = csvusers.read(form.cleaned_data["text"], names)
    except ValidationError as error:
        form.add_error(None, error)
        return []
    if domains is not None:
        mine = set(users_in(domains).values_list("pk", flat=True))
        for line in lines:
            if line.user is not None and line.user.pk not in mine:
                line.errors.append(_("This user is not yours to change."))
    return lines


def _do(request: HttpRequest, lines: list[csvusers.Line], note: Note) -> HttpResponse:
    new = {line.email for line in lines if line.user is None}
    invited = csvusers.apply(lines)
    for user in User.objects.filter(email__in=[line.email for line in lines]):
        note(user, user.email in new)
    for user in invited:
        messages.success(request, f"{user.email}: {invitations.link(user, request)}")
    messages.success(request, _("%(n)d users are imported.") % {"n": len(lines)})
    return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))
