"""The most messages that one command works on: MESSAGELIMIT and SAVELIMIT. RFC 9738.

What is over the limit is left to the next command: the newest messages come first, and
the code names the lowest UID that was worked on (§3.1).
"""

from collections.abc import Iterator, Sequence

from protocols.imap.errors import No
from protocols.imap.searching.evaluate import spans_of as spans_of_set
from protocols.imap.searching.keys import Among, And, Key
from protocols.imap.searching.options import Partial
from protocols.imap.selected import Selected, Span, spans_of
from protocols.imap.sequence import SequenceSet
from protocols.imap.session import Session


def newest(spans: Sequence[Span], most: int) -> list[Span]:
    """Return the part of ascending spans that has the last `most` positions."""
    found: list[Span] = []
    for start, end in reversed(spans):
        if not most:
            break
        taken = min(most, end - start)
        found.append((end - taken, end))
        most -= taken
    return found[::-1]


def limited(
    session: Session, selected: Selected, spans: list[Span]
) -> tuple[list[Span], str]:
    """Return what one command may work on, and the code if that is not all."""
    most = session.at.message_limit
    if not most or _count(spans) <= most:
        return spans, ""
    kept = newest(spans, most)
    return kept, _code(most, selected.uids[kept[0][0]])


def limited_uids(session: Session, uids: Sequence[int]) -> tuple[Sequence[int], str]:
    """Do as `limited` for ascending UIDs."""
    most = session.at.message_limit
    if not most or len(uids) <= most:
        return uids, ""
    return uids[-most:], _code(most, uids[-most])


def limited_key(session: Session, selected: Selected, key: Key) -> tuple[Key, str]:
    """Do as `limited` for a search: what counts is what has to be looked at."""
    most = session.at.message_limit
    if not most or len(selected.uids) <= most:
        return key, ""
    keys = key.keys if isinstance(key, And) else (key,)
    spans = _looked_at(selected, keys)
    kept, code = limited(session, selected, spans)
    if not code:
        return key, ""
    lowest = selected.uids[kept[0][0]]
    return And((Among(SequenceSet(((lowest, None),)), by_uid=True), *keys)), code


def require_all(session: Session, selected: Selected, spans: Sequence[Span]) -> None:
    """Raise No where not all can be copied at once: it is all or none. §3.1."""
    most = session.at.save_limit
    if most and _count(spans) > most:
        lowest = selected.uids[newest(spans, most)[0][0]]
        raise No("Too many messages to copy", _code(most, lowest))


def require_few(session: Session, count: int) -> None:
    """Raise No where an APPEND has too many messages. §3.1."""
    if session.at.save_limit and count > session.at.save_limit:
        raise No("Too many messages", _code(session.at.save_limit))


def require_searchable(session: Session, count: int) -> None:
    """Raise No where THREAD would have to look at too many messages. §3.3."""
    if session.at.message_limit and count > session.at.message_limit:
        raise No("Too many messages to thread", _code(session.at.message_limit))


def require_range(session: Session, partial: Partial | None) -> None:
    """Raise No where PARTIAL asks for more results than are given at once. §3.1."""
    most = session.at.message_limit
    if most and partial is not None and partial.last - partial.first >= most:
        raise No("The range is too large", _code(most))


def coded(session: Session, code: str, limit: str) -> Iterator[bytes]:
    """Yield the limit untagged where the tagged end has another code. §3.1."""
    if code and limit:
        yield session.say("Not all of the messages were worked on", limit, "NO")


def _looked_at(selected: Selected, keys: Sequence[Key]) -> list[Span]:
    """Return the positions that no set among these keys leaves out."""
    left = set(range(len(selected.uids)))
    for one in keys:
        if isinstance(one, Among):
            spans = spans_of_set(selected, one.chosen, by_uid=one.by_uid)
            left.intersection_update(n for span in spans for n in range(*span))
    return spans_of(sorted(left))


def _count(spans: Sequence[Span]) -> int:
    return sum(end - start for start, end in spans)


def _code(most: int, lowest: int = 0) -> str:
    return f"MESSAGELIMIT {most} {lowest}" if lowest else f"MESSAGELIMIT {most}"
