"""Searches that are stored under a name. RFC 5466 §3.

A filter stands for its search as one key, in brackets as it were.
"""

from collections.abc import Generator, Sequence
from itertools import islice
from typing import Any

from mailhost.store.annotations import annotation
from protocols.imap.effects import Effect, Read
from protocols.imap.errors import Bad, No
from protocols.imap.parser import Parser
from protocols.imap.searching.grammar import MOST_KEYS, SearchParser
from protocols.imap.searching.keys import Filter, Key, inside, mapped
from protocols.imap.session import Session

ENTRY = "/filters/values/"
PASSES = 5  # filters inside filters; RFC 5466 §3.1 wants 3
MOST_FILTERS = 50  # looked up in one pass


def resolve(session: Session, key: Key) -> Generator[bytes | Effect, Any, Key]:
    """Return the key with each filter replaced by what it stands for.

    Raises No for one that is not there, is no search, or is still one after PASSES.
    """
    who = session.who()
    names: Sequence[str] = ()
    for _ in range(PASSES + 1):
        names = sorted({one.name for one in inside(key) if isinstance(one, Filter)})
        if not names:
            return key
        if len(names) > MOST_FILTERS:
            break
        values = yield Read(values_of, (who.account_id, who.user_id, names))
        key = _replaced(key, {name: parsed(name, values.get(name)) for name in names})
    raise undefined(names[0])


def values_of(account_id: int, user_id: int, names: Sequence[str]) -> dict[str, bytes]:
    """Return the searches that these names stand for, those that there are. Runs SQL.

    A private one goes before a shared one of the same name.
    """
    found: dict[str, bytes] = {}
    for name in names:
        for owner in (user_id, None):
            value = annotation(account_id, None, owner, ENTRY + name)
            if value is not None:
                found[name] = value
                break
    return found


def parsed(name: str, value: bytes | None) -> Key:
    """Read search-criteria. Raises No if it is not one, or None."""
    if value is None:
        raise undefined(name)
    p = Parser(value)
    try:
        key = SearchParser(p).keys()
    except Bad:
        raise undefined(name) from None
    if p.offset != len(value):
        raise undefined(name)
    return key


def undefined(name: str) -> No:
    """Return the refusal of a search that names this filter."""
    return No("There is no such filter", f"UNDEFINED-FILTER {name}")


def _replaced(key: Key, found: dict[str, Key]) -> Key:
    key = mapped(key, lambda one: found[one.name] if isinstance(one, Filter) else one)
    if len(list(islice(inside(key), MOST_KEYS + 1))) > MOST_KEYS:
        raise Bad("The search is too complex", "LIMIT")
    return key
