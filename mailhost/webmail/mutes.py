"""Whole conversations muted: marked wherever they lie, and out of INBOX."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from accounts.models import User
from mailhost.store import muting, read
from mailhost.store.gate import gate
from mailhost.webmail import acting, door
from mailhost.webmail.acting import Deed, Mark
from mailhost.webmail.picking import Picked

MUTE = Mark(True, 0, (muting.WORD,), "w")
UNMUTE = Mark(False, 0, (muting.WORD,), "w")
Threads = Mapping[int, set[int]]  # by account


def mute(user: User, found: Sequence[Picked]) -> Deed:
    """Mute the conversations of these messages; those in INBOX are archived."""
    acting.require(found, "w")
    threads = _threads(found)
    inbox = [one for one in _whole(user, threads) if one.folder.role == "inbox"]
    deed = acting.move(user, inbox, "archive")
    # Marked where they are now: undo goes backwards.
    deed.steps += acting.mark(_whole(user, threads), MUTE).steps
    deed.text = _("Muted: its new mail goes to the archive, read.")
    return deed


def unmute(user: User, found: Sequence[Picked]) -> Deed:
    """Mute the conversations of these messages no longer; they stay where they are."""
    acting.require(found, "w")
    deed = acting.mark(_whole(user, _threads(found)), UNMUTE)
    deed.text = _("No longer muted.")
    return deed


def _threads(found: Sequence[Picked]) -> Threads:
    threads: dict[int, set[int]] = {}
    for one in found:
        rows = gate.read_sync(
            read.message_rows, one.folder.id, one.uids, ("thread_id",)
        )
        mine = threads.setdefault(one.folder.account_id, set())
        mine |= {thread for (thread,) in rows.values() if thread is not None}
    return threads


def _whole(user: User, threads: Threads) -> list[Picked]:
    """Return all messages of conversations that the user may mark, by folder."""
    found = []
    for one in door.accounts(user):
        those = threads.get(one.account.id)
        if those:
            uids = gate.read_sync(muting.members, one.account.id, sorted(those))
            found += [
                Picked(folder, tuple(uids[folder.id]))
                for folder in one.folders
                if folder.id in uids and {"r", "w"} <= set(folder.rights)
            ]
    return found
