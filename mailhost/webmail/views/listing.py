"""Lists: a folder, a search; in whole or in part."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from mailhost.webmail import door
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.views import page

ROWS = frozenset(("rows", "more"))  # targets that are given rows alone


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
    """Show a folder: ?show=unread, ?before= a place, ?shown= so many."""
    found = door.folder(request.user, account_id, folder_id)
    if request.htmx.target not in ROWS:
        return page.whole_or_list(request, found, page.listing(request, found))
    context = {"listing": page.listing(request, found), "current": found}
    return render(request, "webmail/list/rows.html", context)


@require_safe
@signed_in
def search(request: Request) -> HttpResponse:
    """Show what ?q= finds in all accounts; ?from= is the folder it was asked in."""
    query = request.GET.get("q", "").strip()
    asked_in = request.GET.get("from")
    found = page.inbox(request)
    if asked_in:
        found = door.folder_named(request.user, asked_in)
    if found is None:
        raise Http404
    if not query:
        return redirect("webmail:folder", found.account_id, found.id)
    listing = page.hits(request, found, query)
    if request.htmx.target in ROWS:
        context = {"listing": listing, "current": found}
        return render(request, "webmail/list/rows.html", context)
    return page.whole_or_list(request, found, listing)


@require_POST
@signed_in
def mode(request: Request) -> HttpResponse:
    """Switch between conversations and single messages; kept for the user."""
    chosen = page.preferences(request)
    chosen.threaded = request.POST.get("threaded") == "1"
    chosen.save()
    back = door.folder_named(request.user, request.POST.get("folder", ""))
    return redirect(page.folder_url(back))
