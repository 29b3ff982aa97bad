"""The settings page: display, writing, labels, searches, senders, people, devices.

Each form posts to a URL of its own and gets the page again.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.forms import ModelForm
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from mailhost.store import blocking, retention
from mailhost.store.gate import gate
from mailhost.webmail import devices, door, identities, labels, localeform
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.localeform import LocaleForm
from mailhost.webmail.models import Label, Preferences, SavedSearch, Template
from mailhost.webmail.views import page

SETTINGS = "webmail/reader/settings.html"
MOST_LABELS = 100
DAYS = (0, 7, 14, 30, 60, 90, 365)


if TYPE_CHECKING:  # Django's own has no type parameters
    PreferencesBase = ModelForm[Preferences]
else:
    PreferencesBase = ModelForm


class PreferencesForm(PreferencesBase):
    """How the webmail looks and acts."""

    class Meta:
        model = Preferences
        fields = (
            "threaded", "theme", "density", "pictures", "plain", "undo_seconds",
            "answers_below", "signature",
        )  # fmt: skip
        labels: ClassVar = {
            "signature": gettext_lazy("Signature of addresses without their own")
        }


@require_safe
@signed_in
def show(request: Request) -> HttpResponse:
    """Show all of it."""
    return shown(request)


def shown(request: Request, **more: Any) -> HttpResponse:
    """Return the page, or what it has in the reader."""
    user = request.user
    door.forget(user)
    accounts = [one.account for one in door.accounts(user) if "a" in one.account.rights]
    context = {
        "form": PreferencesForm(instance=page.preferences(request), label_suffix=""),
        "locale": LocaleForm(instance=user, label_suffix=""),
        "now": localeform.now(),
        "accounts_of_mine": [
            {
                "account": one,
                "labels": labels.known(user, one.id).values(),
                "blocked": gate.read_sync(blocking.blocked, one.id),
                "keeping": gate.read_sync(retention.days_of, one.id),
            }
            for one in accounts
        ],
        "senders": identities.senders(user),
        "templates": Template.objects.filter(user=user).order_by("name"),
        "saved": SavedSearch.objects.filter(user=user).order_by("name"),
        **devices.context(request),
        "hues": range(labels.HUES),
        "days": DAYS,
        "preferences": page.preferences(request),
        **more,
    }
    if request.htmx.target == "reader":
        return render(request, SETTINGS, context)
    inbox = page.inbox(request)
    if inbox is None:
        return redirect("webmail:home")
    return page.whole(request, inbox, reader=SETTINGS, pane="reader", **context)


@require_POST
@signed_in
def display(request: Request) -> HttpResponse:
    """Keep the preferences; the page is loaded anew, for its colours."""
    form = PreferencesForm(request.POST, instance=page.preferences(request))
    if not form.is_valid():
        return shown(request, form=form)
    form.save()
    if request.htmx:
        response = HttpResponse(status=204)
        response["HX-Redirect"] = request.path.replace("display/", "")
        return response
    return redirect("webmail:settings")


@require_POST
@signed_in
def label(request: Request, account_id: int) -> HttpResponse:
    """Make a label, change one, or with delete=1 forget one; mail keeps its keyword."""
    if "w" not in door.account(request.user, account_id).rights:
        raise PermissionDenied
    word = request.POST.get("keyword", "").lower()
    name = request.POST.get("name", "").strip()[:60]
    hue = (page.number(request.POST.get("hue")) or 0) % labels.HUES
    mine = Label.objects.filter(account_id=account_id)
    if request.POST.get("delete") == "1":
        mine.filter(keyword=word).delete()
    elif name and word:
        mine.filter(keyword=word).update(name=name, hue=hue)
    elif name and mine.count() < MOST_LABELS:
        Label.objects.get_or_create(
            account_id=account_id,
            keyword=labels.keyword_for(name),
            defaults={"name": name, "hue": hue},
        )
    return shown(request)


@require_POST
@signed_in
def keeping(request: Request, account_id: int) -> HttpResponse:
    """Say for how many days Trash and Junk keep mail; 0: for ever."""
    if "a" not in door.account(request.user, account_id).rights:
        raise PermissionDenied
    for role in retention.ROLES:
        days = page.number(request.POST.get(role))
        if days is not None:
            gate.write_sync([account_id], retention.keep_for, account_id, role, days)
    return shown(request)


@require_POST
@signed_in
def unblock(request: Request, account_id: int) -> HttpResponse:
    """Block a sender no longer."""
    if "a" not in door.account(request.user, account_id).rights:
        raise PermissionDenied
    address = request.POST.get("address", "")
    gate.write_sync([account_id], blocking.unblock, account_id, address)
    return shown(request)
