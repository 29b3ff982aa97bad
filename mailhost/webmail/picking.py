"""Which messages a form means: those it names, whole conversations, or all that match.

m          account.folder.uid, repeated
threads    1: the conversations of these messages, as far as they are in the folder
all        1: instead of `m` all of `folder` that `show` shows, or all hits of `q`
"""

from dataclasses import dataclass

from django.http import Http404

from mailhost.store import conversations
from mailhost.store.gate import gate
from mailhost.store.values import FolderInfo
from mailhost.webmail import door, rows
from mailhost.webmail.door import Request
from mailhost.webmail.letters import Where
from mailhost.webmail.searching import asking

MOST_NAMED = 1_000  # messages
MOST_AT_ONCE = 200_000  # that match


@dataclass(frozen=True, slots=True)
class Picked:
    """Messages of one folder."""

    folder: FolderInfo
    uids: tuple[int, ...]  # ascending


def picked(request: Request) -> list[Picked]:
    """Return what the form means; Http404 for what the user may not read."""
    if request.POST.get("all") == "1":
        return _all(request)
    named: dict[tuple[int, int], set[int]] = {}
    for text in request.POST.getlist("m")[:MOST_NAMED]:
        where = Where.read(text)
        if where is None or not where.uid:
            raise Http404
        named.setdefault(where[:2], set()).add(where.uid)
    whole = request.POST.get("threads") == "1"
    found = []
    for (account_id, folder_id), uids in named.items():
        folder = door.folder(request.user, account_id, folder_id)
        those = sorted(uids)
        if whole:
            those = gate.read_sync(conversations.uids_with, folder_id, those)
        found.append(Picked(folder, tuple(those)))
    return found


def _all(request: Request) -> list[Picked]:
    query = request.POST.get("q", "").strip()
    if query:
        hits = asking.everything(request.user, query, MOST_AT_ONCE)
        return [Picked(folder, tuple(sorted(uids))) for folder, uids in hits.items()]
    folder = door.folder_named(request.user, request.POST.get("folder", ""))
    show = request.POST.get("show", "")
    if show not in rows.SHOWS:
        raise Http404
    wanted = rows.wanted(request.user, folder, show)
    uids = gate.read_sync(conversations.uids_of, folder.id, wanted)
    return [Picked(folder, tuple(uids))]
