"""What is done with messages: marked, labelled, moved, deleted; and what reverses it.

One deed is one transaction for each folder. Rights are looked at before anything is
done. A step of undo is what brings things back, by the same functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from mailhost.store import change, flags, junk, read, snoozing, sql
from mailhost.store.gate import gate
from mailhost.store.values import Copied, FolderInfo
from mailhost.webmail import door, sending
from mailhost.webmail.picking import Picked

# folder, uids as ranges, and `to`, or `until`, or what is marked; kept as JSON.
Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """Flags and keywords that are added or taken, and the right it takes."""

    adds: bool
    bits: int
    words: tuple[str, ...]
    right: str


MARKS = {
    "read": Mark(True, flags.SEEN, (), "s"),
    "unread": Mark(False, flags.SEEN, (), "s"),
    "flag": Mark(True, flags.FLAGGED, (), "w"),
    "unflag": Mark(False, flags.FLAGGED, (), "w"),
}
# action -> (role, name of the folder if it has to be made)
MOVES = {
    "archive": ("archive", "Archive"),
    "junk": ("junk", "Junk"),
    "notjunk": ("inbox", "INBOX"),
    "wake": ("inbox", "INBOX"),
    "delete": ("trash", "Trash"),
}
REPORTS = {"junk": True, "notjunk": False}  # what the user says by an action


@dataclass(slots=True)
class Deed:
    """What was done: how many messages, what is told, what brings them back."""

    count: int = 0
    text: str = ""
    steps: list[Step] = field(default_factory=list)


def mark(found: Sequence[Picked], how: Mark) -> Deed:
    """Mark messages."""
    require(found, how.right)
    deed = Deed(sum(len(one.uids) for one in found))
    for one in found:
        changed = _mark(one.folder, one.uids, how)
        if changed:
            deed.steps.append(
                {
                    "folder": _name(one.folder),
                    "uids": sql.runs(changed),
                    "adds": not how.adds,
                    "bits": how.bits,
                    "words": how.words,
                }
            )
    return deed


def _mark(folder: FolderInfo, uids: Sequence[int], how: Mark) -> Sequence[int]:
    function = change.add_flags if how.adds else change.remove_flags
    here = (folder.account_id, folder.id, uids)

    def write() -> Sequence[int]:
        if how is MARKS["read"]:  # what came back was looked at
            change.remove_flags(*here, 0, (snoozing.BACK,))
        return function(*here, how.bits, how.words).changed

    return sorted(gate.write_sync([folder.account_id], write))


def move(
    user: User, found: Sequence[Picked], action: str, to: FolderInfo | None = None
) -> Deed:
    """Move messages to `to`, or to where the action of their account leads."""
    require(found, "te")
    deed = Deed()
    for one in found:
        target = to or _target(user, one.folder.account_id, action)
        if "i" not in target.rights:
            raise PermissionDenied
        if target.id == one.folder.id or not one.uids:
            continue
        copied = _move(user, one, target, action)
        deed.count += len(copied.uids)
        if copied.uids:
            last = copied.first + len(copied.uids) - 1
            deed.steps.append(
                {
                    "folder": _name(target),
                    "uids": [(copied.first, last)],
                    "to": _name(one.folder),
                    "forget": action in REPORTS,
                }
            )
    deed.text = _told(action, deed.count)
    return deed


def _move(user: User, one: Picked, to: FolderInfo, action: str) -> Copied:
    """Move, and note what the user says by it."""
    is_junk = REPORTS.get(action)
    account_id, folder_id = one.folder.account_id, one.folder.id
    wakes = one.folder.role == snoozing.ROLE and to.account_id == account_id

    def moved() -> Copied:
        if wakes:
            copied = snoozing.take_out(account_id, folder_id, one.uids, to.id)
        else:
            copied = change.move(account_id, folder_id, one.uids, to.account_id, to.id)
        if is_junk is not None and copied.uids:
            news = range(copied.first, copied.first + len(copied.uids))
            junk.report(to.account_id, to.id, news, user.pk, is_junk=is_junk)
        return copied

    return gate.write_sync([account_id, to.account_id], moved)


def put_away(found: Sequence[Picked], until: datetime) -> Deed:
    """Let messages come back at a time; see store.snoozing."""
    require(found, "te")
    deed = Deed()
    for one in found:
        here = one.folder.account_id
        before = _times(one) if one.folder.role == snoozing.ROLE else {}
        copied = gate.write_sync(
            [here],
            lambda one=one, here=here: snoozing.snooze(  # type: ignore[misc] # the loop's own
                here, one.folder.id, one.uids, until
            ),
        )
        deed.count += len(copied.uids)
        if before:
            deed.steps += [
                {"folder": _name(one.folder), "uids": [(uid, uid)], "until": was}
                for uid, was in before.items()
            ]
        elif copied.uids:
            last = copied.first + len(copied.uids) - 1
            place = gate.read_sync(snoozing.folder, here)
            deed.steps.append(
                {
                    "folder": _name(place),
                    "uids": [(copied.first, last)],
                    "to": _name(one.folder),
                }
            )
    return deed


def _times(one: Picked) -> dict[int, str]:
    """Return {uid: when it comes back} of what is put away already."""
    rows = gate.read_sync(read.message_rows, one.folder.id, one.uids, ("email_id",))
    emails = {uid: email_id for uid, (email_id,) in rows.items()}
    due = gate.read_sync(snoozing.times, one.folder.account_id, sorted(emails.values()))
    return {uid: due[e].isoformat() for uid, e in emails.items() if e in due}


def remove(found: Sequence[Picked]) -> Deed:
    """Delete for good what lies in Trash; nothing brings it back here."""
    require(found, "te")
    deed = Deed()
    for one in found:
        gone = gate.write_sync(
            [one.folder.account_id],
            lambda one=one: change.expunge(  # type: ignore[misc] # the loop's own
                one.folder.account_id, one.folder.id, one.uids, force=True
            ),
        )
        deed.count += len(gone.uids)
    count = deed.count
    deed.text = ngettext("%d message deleted.", "%d messages deleted.", count) % count
    return deed


def back(user: User, steps: Sequence[Step]) -> Deed:
    """Do the steps that reverse a deed; what is gone meanwhile stays so."""
    deed = Deed()
    for step in reversed(steps):
        if "rename" in step or "unmake" in step:
            from mailhost.webmail import foldering

            deed.count += foldering.back(user, step)
            continue
        folder = door.folder_named(user, step["folder"])
        uids = [uid for first, last in step["uids"] for uid in range(first, last + 1)]
        found = [Picked(folder, tuple(uids))]
        if step.get("forget"):
            _forget(folder, uids)
        if "to" in step:
            done = move(user, found, "move", door.folder_named(user, step["to"]))
        elif "until" in step:
            done = put_away(found, datetime.fromisoformat(step["until"]))
        else:
            bits, words = step["bits"], tuple(step["words"])
            right = "s" if bits == flags.SEEN else "w"
            done = mark(found, Mark(step["adds"], bits, words, right))
        deed.count += done.count
    deed.text = _("Undone.")
    return deed


def _forget(folder: FolderInfo, uids: Sequence[int]) -> None:
    """Take back what was said of messages by the deed that is undone."""
    account_id = folder.account_id
    gate.write_sync([account_id], lambda: junk.take_back(account_id, folder.id, uids))


def _target(user: User, account_id: int, action: str) -> FolderInfo:
    """Return the folder an action moves to, made where there is none.

    Of an account in which single folders are shared: one's own.
    """
    role, name = MOVES[action]
    if not set("li") <= set(door.account(user, account_id).rights):
        own = [one.account.id for one in door.accounts(user)]
        account_id = own[0]
        if not set("li") <= set(door.account(user, account_id).rights):
            raise PermissionDenied
    made = gate.write_sync([account_id], sending.with_role, account_id, role, name)
    return door.folder(user, account_id, made.id, "li")


def require(found: Sequence[Picked], needed: str) -> None:
    """Raise PermissionDenied where one of these rights is lacking."""
    if not all(set(needed) <= set(one.folder.rights) for one in found):
        raise PermissionDenied


def _name(folder: FolderInfo) -> str:
    return f"{folder.account_id}.{folder.id}"


def _told(action: str, count: int) -> str:
    texts = {
        "archive": ngettext("%d message archived.", "%d messages archived.", count),
        "junk": ngettext("%d message is junk.", "%d messages are junk.", count),
        "delete": ngettext(
            "%d message moved to Trash.", "%d messages moved to Trash.", count
        ),
    }
    moved = ngettext("%d message moved.", "%d messages moved.", count)
    return texts.get(action, moved) % count
