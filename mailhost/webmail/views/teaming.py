"""The team's side of a conversation in a shared account."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mailhost.store.read import Listed
from mailhost.store.values import FolderInfo
from mailhost.webmail import door, teams
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.views import page

TEAM = "webmail/reader/teamlive.html"


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def team(request: Request, account_id: int, folder_id: int, uid: int) -> HttpResponse:
    """Show it; POST gives it to a member (`assign`), adds a `note` or takes it back."""
    folder, listed = door.message(request.user, account_id, folder_id, uid)
    if not teams.is_team(request.user, account_id) or listed.thread_id is None:
        raise Http404
    if request.method == "POST":
        refused = _change(request, listed.thread_id, account_id)
        if refused is not None:
            return refused
        if not request.htmx:
            return redirect("webmail:message", account_id, folder_id, uid)
    return _shown(request, folder, listed)


def _change(request: Request, thread_id: int, account_id: int) -> HttpResponse | None:
    asked, place = request.POST, (account_id, thread_id)
    if "assign" in asked:
        teams.assign(request.user, *place, page.number(asked["assign"]))
    elif "forget" in asked:
        teams.forget(request.user, *place, page.number(asked["forget"]) or 0)
    elif not teams.note(request.user, *place, asked.get("note", "")):
        return door.told(_("The note says nothing, or there are too many."), 409)
    return None


def _shown(request: Request, folder: FolderInfo, listed: Listed) -> HttpResponse:
    context = {
        "team": teams.of(request.user, folder, listed),
        "place": (folder.account_id, folder.id, listed.uid),
    }
    return render(request, TEAM, context)
