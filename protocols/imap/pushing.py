"""Tell, unasked, what has happened: in IDLE, and after NOTIFY between commands."""

import logging

from protocols.imap.effects import Steps
from protocols.imap.errors import Fatal
from protocols.imap.modseqs import highest
from protocols.imap.notify.news import give_up, tell_news
from protocols.imap.session import Session
from protocols.imap.sync import recheck, refresh, tell_changes

log = logging.getLogger(__name__)


def push(session: Session, *, expunges: bool) -> Steps:
    """Yield all that the client wants to hear. `expunges`: numbers may move."""
    if session.wishes.messages:
        if session.stale:
            if session.shares():
                yield from recheck(session)
            yield from refresh(session)
        before = _told(session)
        yield from tell_changes(session, expunges=expunges)
        if before != _told(session) and (told := highest(session)):
            yield session.say("Highest", told)
    yield from tell_news(session)


def _told(session: Session) -> tuple[object, int]:
    """Return what differs where something was told of the selected mailbox."""
    selected = session.selected
    return (selected.uids, selected.told_modseq) if selected else (None, 0)


def push_between(session: Session) -> Steps:
    """Do so while no command runs. RFC 5465 §3.1, §6.1.2; §5.8 where it fails."""
    try:
        yield from push(session, expunges=session.wishes.at_once)
    except Fatal:
        raise
    except Exception:
        log.exception("NOTIFY failed")
        yield from give_up(session, "Internal error")
