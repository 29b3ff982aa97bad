r"""Tell what a client wants to know of each new message. RFC 5465 §5.2, §7.

Nothing becomes \Seen by it: BODY[…] is told as BODY.PEEK[…] would be.
"""

from collections.abc import Generator, Iterator, Sequence
from functools import lru_cache
from typing import Any

from protocols.imap.effects import Effect
from protocols.imap.errors import No
from protocols.imap.fetching.grammar import together
from protocols.imap.fetching.items import Body, Item, Wanted
from protocols.imap.fetching.plan import Plan, plan
from protocols.imap.fetching.telling import Rows, tell_rows
from protocols.imap.searching.contexts import Judged
from protocols.imap.selected import Selected
from protocols.imap.session import Session

Tell = Generator[bytes | Effect, Any, None]


def tell_more(
    session: Session, selected: Selected, fresh: Sequence[int], judged: Sequence[Judged]
) -> Tell:
    """Yield what follows EXISTS: what the contexts say, and FETCH of what is new.

    The FETCH that NOTIFY asks for comes behind ADDTO (§5.2), that of an updated search
    before it (§7); where both want some, in one response.
    """
    made, selected.made = selected.made, []
    fresh = [uid for uid in fresh if not any(a <= uid < b for a, b in made)]
    lines = [one.line for one in judged]
    if session.wishes.attributes:
        yield from lines
    for wanted, uids in _wanted(session, fresh, judged).items():
        yield from _tell(session, selected, uids, wanted)
    if not session.wishes.attributes:
        yield from lines


def _wanted(
    session: Session, fresh: Sequence[int], judged: Sequence[Judged]
) -> dict[tuple[Wanted, ...], list[int]]:
    """Return {attributes: UIDs} of the new messages of which there are any to tell."""
    found: dict[tuple[Wanted, ...], list[int]] = {}
    asking = [one for one in judged if one.context.attributes]
    for uid in fresh:
        wanted = session.wishes.attributes
        for one in asking:
            if uid in one.added:
                wanted = together((*wanted, *one.context.attributes))
        if wanted:
            found.setdefault(wanted, []).append(uid)
    return found


def _tell(
    session: Session,
    selected: Selected,
    uids: Sequence[int],
    wanted: tuple[Wanted, ...],
) -> Tell:
    now = selected.now
    found = [(selected.position(uid), now.index(uid)) for uid in uids]
    both = [(n, i) for n, i in found if n is not None and i is not None]
    rows = Rows([n for n, _ in both], [i for _, i in both])
    todo = _planned(_as_told(session, wanted), session.uid_only)
    for some in _apart(rows, todo):
        try:
            yield from tell_rows(session, selected, some, todo)
        except No:  # it cannot be decoded: the client may ask for something else
            continue


def _as_told(session: Session, wanted: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    """Add what each unasked FETCH has to say. RFC 7162 §3.1, §3.2.4.

    The UID always: it may come while a UID command runs (RFC 9051 §6.4.9).
    """
    more = [] if session.uid_only else [Item("UID")]
    if session.condstore:
        more.append(Item("MODSEQ"))
    return tuple(dict.fromkeys((*wanted, *more)))


@lru_cache(maxsize=256)
def _planned(wanted: tuple[Wanted, ...], uid_only: bool) -> Plan:  # noqa: FBT001 - a cache's key
    return plan(wanted, b"UIDFETCH" if uid_only else b"FETCH")


def _apart(rows: Rows, todo: Plan) -> Iterator[Rows]:
    """Yield all at once; one by one where one that is refused would hide others."""
    if not any(isinstance(one, Body) and one.binary for one in todo.wanted):
        yield rows
        return
    for n in range(len(rows.at)):
        yield rows.cut(n, n + 1)
