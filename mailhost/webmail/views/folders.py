"""The folder pane, and making, naming and deleting folders."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from mailhost.store import folders
from mailhost.store.errors import StoreError
from mailhost.store.gate import gate
from mailhost.webmail import door
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.forms import FolderForm
from mailhost.webmail.views import page

MANAGE = "webmail/reader/manage.html"


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
    context = {"accounts": door.accounts(request.user), "error": error}
    if request.htmx.target == "reader":
        return render(request, MANAGE, context)
    inbox = page.inbox(request)
    if inbox is None:
        return redirect("webmail:home")
    return page.whole(request, inbox, reader=MANAGE, pane="reader", **context)


def _changed(request: Request, error: str) -> HttpResponse:
    door.forget(request.user)
    response = _manage(request, error)
    response["HX-Trigger"] = "mailchanged"
    return response


@require_POST
@signed_in
def create(request: Request, account_id: int) -> HttpResponse:
    """Make a folder."""
    account = door.account(request.user, account_id)
    if "k" not in account.rights:
        raise PermissionDenied
    form = FolderForm(request.POST)
    if not form.is_valid():
        return _changed(request, _("A folder needs a name."))
    try:
        gate.write_sync(
            [account_id], folders.create_folder, account_id, form.cleaned_data["name"]
        )
    except StoreError as error:
        return _changed(request, str(error))
    return _changed(request, "")


@require_POST
@signed_in
def rename(request: Request, account_id: int, folder_id: int) -> HttpResponse:
    """Give a folder another name; what is below it goes along."""
    folder = door.folder(request.user, account_id, folder_id, "x")
    form = FolderForm(request.POST)
    if folder.role or folder.name == "INBOX" or not form.is_valid():
        return _changed(request, _("This folder keeps its name."))
    name = form.cleaned_data["name"]
    try:
        gate.write_sync(
            [account_id], folders.rename_folder, account_id, folder.name, name
        )
    except StoreError as error:
        return _changed(request, str(error))
    return _changed(request, "")


@require_POST
@signed_in
def delete(request: Request, account_id: int, folder_id: int) -> HttpResponse:
    """Delete a folder and what is in it; those with a role stay."""
    folder = door.folder(request.user, account_id, folder_id, "x")
    if folder.role or folder.name == "INBOX":
        return _changed(request, _("This folder cannot be deleted."))
    try:
        gate.write_sync([account_id], folders.delete_folder, account_id, folder.name)
    except StoreError as error:
        return _changed(request, str(error))
    return _changed(request, "")
