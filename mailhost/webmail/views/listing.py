"""Folders: the list of messages, in whole or in part."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from mailhost.webmail import door
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.views import page


@require_safe
@signed_in
def home(request: Request) -> HttpResponse:
    """Lead to the INBOX."""
    folder = page.inbox(request)
    if folder is None:
        return render(request, "webmail/nothing.html")
    return redirect("webmail:folder", folder.account_id, folder.id)


@require_safe
@signed_in
def folder(request: Request, account_id: int, folder_id: int) -> HttpResponse:
    """Show a folder: ?before= more of it, ?down_to= what is shown, ?q= a search."""
    found = door.folder(request.user, account_id, folder_id)
    target = request.htmx.target
    if target not in {"rows", "more"}:
        return page.whole(request, found)
    everywhere = door.accounts(request.user) if request.GET.get("all") else []
    context = {"listing": page.listing(request, found, everywhere), "current": found}
    return render(request, "webmail/list/rows.html", context)
