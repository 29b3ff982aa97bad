"""The folder pane, and what is done with folders: made, moved, deleted, shared."""

import json
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from mailhost.store import folders
from mailhost.store.errors import StoreError
from mailhost.store.gate import gate
from mailhost.store.values import FolderInfo
from mailhost.webmail import door, foldering, undoing
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.foldering import Changed, NotDone
from mailhost.webmail.forms import FolderForm
from mailhost.webmail.views import page

MANAGE = "webmail/reader/manage.html"
SHARE = "webmail/reader/share.html"


@require_safe
@signed_in
def pane(request: Request) -> HttpResponse:
    """Show the folders and their counts; ?current= is the open one."""
    asked = request.GET.get("current")
    current = door.folder_named(request.user, asked) if asked else page.inbox(request)
    if current is None:
        raise Http404
    context = page.side(request, current, request.GET.get("q", ""))
    return render(request, "webmail/folders/pane.html", context)


@require_safe
@signed_in
def manage(request: Request) -> HttpResponse:
    """Show the forms for folders."""
    return _manage(request)


def _manage(request: Request, error: str = "") -> HttpResponse:
    user = request.user
    subscribed = set(gate.read_sync(folders.subscriptions, user.pk))
    accounts = door.accounts(user)
    context = {
        "accounts": accounts,
        "error": error,
        "shown_elsewhere": {
            folder.id
            for one in accounts
            for folder in one.folders
            if foldering.full_name(user, folder) in subscribed
        },
    }
    return _reader(request, MANAGE, context)


def _reader(request: Request, template: str, context: dict[str, Any]) -> HttpResponse:
    if request.htmx.target == "reader":
        return render(request, template, context)
    inbox = page.inbox(request)
    if inbox is None:
        return redirect("webmail:home")
    return page.whole(request, inbox, reader=template, pane="reader", **context)


def _done(request: Request, do: Callable[[], Changed | None]) -> HttpResponse:
    """Do it, and show the folders again: with what was done, or why it was not."""
    told: dict[str, object] = {"mailchanged": ""}
    try:
        changed = do()
    except (StoreError, NotDone) as error:
        door.forget(request.user)
        return _manage(request, str(error))
    if changed is not None:
        number = undoing.keep(request.user, changed.steps)
        told["mailnotice"] = {"text": changed.text, "undo": number}
    door.forget(request.user)
    response = _manage(request)
    response["HX-Trigger"] = json.dumps(told)
    return response


@require_POST
@signed_in
def create(request: Request, account_id: int) -> HttpResponse:
    """Make a folder: `name`, below `above` if that is given."""
    door.account(request.user, account_id)
    form = FolderForm(request.POST)

    def do() -> Changed:
        if not form.is_valid():
            raise NotDone(_("A folder needs a name."))
        name = form.cleaned_data["name"]
        if above := request.POST.get("above"):
            parent = door.folder_named(request.user, above, "k")
            if parent.account_id != account_id:
                raise Http404
            name = f"{parent.name}/{name}"
        return foldering.create(request.user, account_id, foldering.check(name))

    return _done(request, do)


@require_POST
@signed_in
def rename(request: Request, account_id: int, folder_id: int) -> HttpResponse:
    """Give a folder another name, or with `into` another place; what is below goes too.

    `into` is a folder, or empty for the top.
    """
    folder = door.folder(request.user, account_id, folder_id, "x")
    name = request.POST.get("name", "")[:1000]
    if "into" in request.POST:
        name = folder.name.rpartition("/")[2]
        if into := request.POST["into"]:
            parent = door.folder_named(request.user, into)
            if parent.account_id != account_id:
                raise Http404
            name = f"{parent.name}/{name}"

    def do() -> Changed:
        return foldering.rename(request.user, folder, foldering.check(name))

    return _done(request, do)


@require_POST
@signed_in
def delete(request: Request, account_id: int, folder_id: int) -> HttpResponse:
    """Move a folder to Trash, or out of it for good; those with a role stay."""
    folder = door.folder(request.user, account_id, folder_id, "x")
    return _done(request, lambda: foldering.delete(request.user, folder))


@require_POST
@signed_in
def empty(request: Request, account_id: int, folder_id: int) -> HttpResponse:
    """Remove all that lies in Trash or Junk for good."""
    folder = door.folder(request.user, account_id, folder_id)
    try:
        changed = foldering.empty(request.user, folder)
    except NotDone as error:
        return door.told(str(error), 409)
    if not request.htmx:
        return redirect("webmail:folder", account_id, folder_id)
    response = HttpResponse(status=204)
    told = {"mailchanged": "", "mailnotice": {"text": changed.text}}
    response["HX-Trigger"] = json.dumps(told)
    return response


@require_POST
@signed_in
def subscribe(request: Request, account_id: int, folder_id: int) -> HttpResponse:
    """Have mail programs show a folder, or with wanted=0 not."""
    folder = door.folder(request.user, account_id, folder_id)
    wanted = request.POST.get("wanted") == "1"

    def do() -> None:
        foldering.subscribe(request.user, folder, wanted=wanted)

    return _done(request, do)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def share(request: Request, account_id: int, folder_id: int) -> HttpResponse:
    """Show with whom a folder is shared; POST gives `who` a `level`, or takes it."""
    folder = door.folder(request.user, account_id, folder_id, "a")
    error = ""
    if request.method == "POST":
        error = _shared(request, folder)
    context = {
        "chosen": folder,
        "shares": foldering.shares(folder),
        "levels": [(name, text) for name, (_letters, text) in foldering.LEVELS.items()],
        "groups": request.user.groups.order_by("name"),
        "error": error,
    }
    return _reader(request, SHARE, context)


def _shared(request: Request, folder: FolderInfo) -> str:
    """Give or take; return why it was not done, "" if it was."""
    level, who = request.POST.get("level", ""), request.POST.get("who", "").strip()
    if level and level not in foldering.LEVELS:
        raise Http404
    if not who:
        return _("With whom?")
    below = request.POST.get("below") == "1"
    try:
        foldering.share(request.user, folder, who, level, below=below)
    except (StoreError, NotDone) as error:
        return str(error)
    door.forget(request.user)
    return ""
