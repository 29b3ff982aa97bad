"""Mod-sequences of the mailbox as the client has to know them. RFC 7162 §3.1, §6."""

from collections.abc import Iterator

from protocols.imap.session import Session


def make_aware(session: Session) -> Iterator[bytes]:
    """Tell mod-sequences from now on; at first, up to where all is told.

    RFC 7162 §3.1.
    """
    is_first = not session.condstore
    session.enabled.add("CONDSTORE")
    if is_first and session.selected is not None:
        code = f"HIGHESTMODSEQ {session.selected.whole_modseq}"
        yield session.say("Highest", code)


def highest(session: Session) -> str:
    """Return a code where the client would take a wrong mod-sequence for the highest.

    It would overlook expunges that are yet to be told, and does not know the
    mod-sequence of those that have been. RFC 7162 §3.2, §6.
    """
    selected = session.selected
    if selected is None or not session.condstore:
        return ""
    if selected.is_whole and not selected.told_gone:
        return ""
    selected.told_gone = False
    return f"HIGHESTMODSEQ {selected.whole_modseq}"
