"""What a client does itself it need not be told of. RFC 5465 §5."""

from collections.abc import Iterable

from mailhost.store.folders import SEPARATOR, normalise
from protocols.imap.metadata import Name
from protocols.imap.notify.notified import WHATEVER, Notified
from protocols.imap.session import Session

Place = tuple[int, str]  # account, name of the folder in it


def created(session: Session, place: Place) -> None:
    """Note that it made a mailbox, and the levels above it."""
    if (notified := _watching(session, place[0])) is not None:
        name = _full(notified, place)
        for at, c in enumerate(name):
            if c == SEPARATOR:
                notified.named[name[:at]] = True
        notified.named[name] = True


def deleted(session: Session, place: Place) -> None:
    """Note that it deleted a mailbox."""
    if (notified := _watching(session, place[0])) is not None:
        notified.named[_full(notified, place)] = False


def renamed(session: Session, old: Place, new: Place) -> None:
    """Note that it renamed a mailbox; INBOX is there again."""
    created(session, new)
    if old[1] != "INBOX":
        deleted(session, old)


def subscribed(session: Session, name: str, *, holds: bool) -> None:
    """Note that it subscribed, or ceased to."""
    if (notified := _watching(session, session.who().account_id)) is not None:
        notified.subscribed[normalise(name)] = holds


def annotated(session: Session, place: Place | None, names: Iterable[Name]) -> None:
    """Note that it set entries; no place: of the server."""
    account_id = session.who().account_id if place is None else place[0]
    if (notified := _watching(session, account_id)) is not None:
        where = "" if place is None else _full(notified, place)
        notified.annotated |= {(where, name) for name in names}


def filled(
    session: Session, place: tuple[int, int], first: int, count: int, modseq: int
) -> None:
    """Note that it put messages into a folder: account and id, UIDs from `first`."""
    account_id, folder_id = place
    selected = session.selected
    if selected is not None and selected.folder.id == folder_id:
        if session.wishes.attributes or selected.contexts:
            selected.made.append((first, first + count))
    elif (notified := _watching(session, account_id)) is not None:
        before, _ = notified.filled.get(folder_id, (0, 0))
        notified.filled[folder_id] = (before + count, modseq)


def _watching(session: Session, account_id: int) -> Notified | None:
    """Return what NOTIFY asked for, if it is about this account, which is news now."""
    notified = session.notified
    if notified is None or account_id not in notified.told:
        return None
    notified.moved[account_id] = WHATEVER
    return notified


def _full(notified: Notified, place: Place) -> str:
    account_id, name = place
    return notified.told[account_id].prefix + normalise(name.rstrip(SEPARATOR))
