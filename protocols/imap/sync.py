"""Tell a client what others did to its selected mailbox. RFC 9051 §7.4, §7.5.

What it does not want to hear (RFC 5465 §6.1) stays untold: its message numbers keep
meaning what they did.
"""

from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from mailhost.store.errors import NoSuchFolder
from mailhost.store.rights import rights
from mailhost.store.view import views
from protocols.imap.effects import Effect, Read
from protocols.imap.errors import Fatal
from protocols.imap.flagtext import flag_lists
from protocols.imap.notify.arrivals import tell_more
from protocols.imap.permanent import flag_responses
from protocols.imap.responses import untagged
from protocols.imap.searching.contexts import judge, tell_removed
from protocols.imap.selected import NEVER_RECENT, Selected
from protocols.imap.sequence import written
from protocols.imap.session import Session

ROWS = 2_000  # lines gathered into one piece of output


def refresh(session: Session) -> Generator[bytes | Effect, Any, None]:
    """Bring the selection up to the store; nothing is told by it.

    The connection ends when the mailbox was deleted: RFC 9051 §6.3.5 leaves a session
    that has it selected no other honest way.
    """
    selected, heard = session.view(), session.heard
    now = None if session.polls else views.current(selected.folder.id)
    # What this session wrote may be committed before it is heard of: then synced is -1.
    if now is None or now.modseq < heard or session.synced < 0:
        try:
            now = yield Read(views.get, (selected.folder.id,), brief=True)
        except NoSuchFolder:
            raise Fatal("The selected mailbox is gone") from None
    if now.uid_validity != selected.folder.uid_validity:
        raise Fatal("The selected mailbox was made anew")
    session.synced = heard
    selected.update(now)


def recheck(session: Session) -> Generator[bytes | Effect, Any, None]:
    """Ask again what the user may do in the selected folder of another's account.

    The connection ends when they may no longer read it. RFC 4314 §5.1.1.
    """
    selected = session.view()
    folder = selected.folder
    held = yield Read(rights, (session.user_id, folder.id))
    if "r" not in held:
        raise Fatal("You may no longer read the selected mailbox")
    if held != folder.rights:
        selected.folder = replace(folder, rights=held)
        yield "".join(flag_responses(selected, session.language)).encode()


def tell_changes(
    session: Session, *, expunges: bool, everything: bool = False
) -> Generator[bytes | Effect, Any, None]:
    """Yield what is untold. `expunges`: whether EXPUNGE may be sent (§7.5.1).

    `everything`: also what the client does not want to hear as a rule.
    """
    selected, wishes = session.selected, session.wishes
    if selected is None or _nothing(selected):
        return
    wants = wishes.messages or everything
    if not selected.aligned and (wants or session.removes):
        yield from tell_removed(selected)
        if expunges:
            yield from _tell_gone(session, selected)
    if not wants:
        return
    kept = selected.kept()
    fresh = selected.now.uids[kept:]
    yield from _tell_new(session, selected, kept)
    if wishes.flags or everything:
        yield from _tell_flags(session, selected, kept)
    selected.own = {}
    if selected.is_whole:
        selected.whole_modseq = selected.now.modseq
    judged = (yield from judge(selected)) if selected.contexts else []
    if judged or fresh:
        yield from tell_more(session, selected, fresh, judged)


def _nothing(selected: Selected) -> bool:
    return (
        selected.uids is selected.now.uids
        and selected.told_modseq == selected.now.modseq
    )


def _tell_gone(session: Session, selected: Selected) -> Iterator[bytes]:
    """Yield EXPUNGE or VANISHED for the messages gone. §7.5.1, RFC 7162 §3.2.10.2."""
    gone = selected.gone()
    for start in range(0, len(gone), ROWS):
        some = gone[start : start + ROWS]
        if session.says_vanished:
            yield untagged(f"VANISHED {written(selected.uids[n] for n in some)}")
            continue
        # Numbers move up at each.
        numbers = (n - k for k, n in enumerate(some, start))
        yield b"".join([b"* %d EXPUNGE\r\n" % (n + 1) for n in numbers])
    selected.told_gone = session.condstore
    # Only what the client knows of: what is new is told after it.
    kept, now = selected.kept(), selected.now
    selected.uids = now.uids if kept == len(now.uids) else now.uids[:kept]
    selected.aligned = True


def _tell_new(session: Session, selected: Selected, kept: int) -> Iterator[bytes]:
    now = selected.now
    fresh = now.uids[kept:]
    if fresh and not selected.aligned:
        selected.uids = selected.uids + fresh
    elif selected.aligned:
        selected.uids = now.uids
    if not fresh:
        return
    yield b"* %d EXISTS\r\n" % len(selected.uids)
    if not session.rev2:
        recent = sum(uid >= selected.recent_from for uid in fresh)
        if recent or not selected.read_only:
            yield b"* %d RECENT\r\n" % count_recent(selected)


def count_recent(selected: Selected) -> int:
    r"""Return how many messages are \Recent to this session. RFC 3501 §2.3.2."""
    return len(selected.uids) - bisect_left(selected.uids, selected.recent_from)


def _tell_flags(session: Session, selected: Selected, kept: int) -> Iterator[bytes]:
    """Yield the flags that changed of the first `kept`; those new are asked for."""
    now, told, own = selected.now, selected.told_modseq, selected.own
    if now.modseq == told:
        return
    selected.told_modseq = now.modseq
    at = now.changed_since(told)
    at = at[: bisect_left(at, kept)]
    uids, modseqs = now.uids, now.modseqs
    for start in range(0, len(at), ROWS):
        some = at[start : start + ROWS]
        if own:
            some = [i for i in some if own.get(uids[i]) != modseqs[i]]
        # Nothing is a piece too: it lets others have their turn.
        yield b"".join(_flag_lines(session, selected, some))


def tell_flags(
    session: Session, selected: Selected, at: Sequence[int]
) -> Iterator[bytes]:
    """Yield the FETCH of FLAGS of these rows of `selected.now`, many in a piece."""
    for start in range(0, len(at), ROWS):
        yield b"".join(_flag_lines(session, selected, at[start : start + ROWS]))


def _flag_lines(
    session: Session, selected: Selected, at: Sequence[int]
) -> Iterator[bytes]:
    now = selected.now
    recent_from = NEVER_RECENT if session.rev2 else selected.recent_from
    for i, flags in zip(at, flag_lists(now, at, recent_from), strict=True):
        uid = now.uids[i]
        position = selected.position(uid)
        if position is None:
            continue
        items = [b"FLAGS " + flags]
        if session.condstore:
            items.insert(0, b"MODSEQ (%d)" % now.modseqs[i])
        yield fetched(session, position, uid, items)


def fetched(
    session: Session,
    position: int,
    uid: int,
    items: Sequence[bytes],
    *,
    names_uid: bool = True,
) -> bytes:
    """Write a FETCH response that nobody asked for in these words."""
    if session.uid_only:
        return b"* %d UIDFETCH (%b)\r\n" % (uid, b" ".join(items))
    if names_uid:
        items = [b"UID %d" % uid, *items]
    return b"* %d FETCH (%b)\r\n" % (position + 1, b" ".join(items))
