"""The keys of SEARCH as values. RFC 9051 §6.4.4."""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Union

from protocols.imap.sequence import SequenceSet


@dataclass(frozen=True, slots=True)
class All:
    """Every message."""


@dataclass(frozen=True, slots=True)
class Flags:
    """Those whose flag bits under `mask` are `value`."""

    mask: int
    value: int


@dataclass(frozen=True, slots=True)
class Keyword:
    """Those that have this keyword, in any case."""

    word: str


@dataclass(frozen=True, slots=True)
class Recent:
    r"""Those that are \Recent to this session. RFC 3501 §6.4.4."""


@dataclass(frozen=True, slots=True)
class Size:
    """Those larger than `over` and smaller than `under` octets."""

    over: int = -1
    under: int = 1 << 63


@dataclass(frozen=True, slots=True)
class Arrived:
    """Those whose internal date is in [start, end), seconds since 1970."""

    start: int = -(1 << 62)
    end: int = 1 << 62


@dataclass(frozen=True, slots=True)
class Since:
    """Those with at least this mod-sequence. RFC 7162 §3.1.5."""

    modseq: int


@dataclass(frozen=True, slots=True)
class Among:
    """Those of a set."""

    chosen: SequenceSet
    by_uid: bool

    @property
    def is_by_number(self) -> bool:
        return not self.by_uid and not self.chosen.saved


@dataclass(frozen=True, slots=True)
class Not:
    """Those that do not match."""

    key: "Key"


@dataclass(frozen=True, slots=True)
class And:
    """Those that match all."""

    keys: tuple["Key", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Those that match any."""

    keys: tuple["Key", ...]


class Where(enum.Enum):
    """What a text is looked for in."""

    HEADER = enum.auto()  # one field
    BODY = enum.auto()
    TEXT = enum.auto()  # header and body


@dataclass(frozen=True, slots=True)
class Text:
    """Those in which the text occurs, in any case; needs the messages themselves."""

    where: Where
    needle: str
    field: str = ""  # name, of HEADER


@dataclass(frozen=True, slots=True)
class Sent:
    """Those whose Date field names a day in [start, end): (year, month, day)."""

    start: tuple[int, int, int] = (0, 0, 0)
    end: tuple[int, int, int] = (9999, 99, 99)


@dataclass(frozen=True, slots=True)
class Saved:
    """Those put into this mailbox in [start, end). RFC 8514 §4.3."""

    start: int = -(1 << 62)
    end: int = 1 << 62


@dataclass(frozen=True, slots=True)
class ObjectId:
    """Those of this EMAILID or THREADID. RFC 8474 §6."""

    column: str
    id: int


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Those that match about, with a score each. RFC 6203 §3."""

    key: "Key"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a stored search stands for; replaced before any search. RFC 5466 §3.1."""

    name: str


Key = Union[  # noqa: UP007 - it names itself
    All, Flags, Keyword, Recent, Size, Arrived, Since, Among, Not, And, Or,
    Text, Sent, Saved, ObjectId, Fuzzy, Filter,
]  # fmt: skip
SLOW = Text | Sent | Saved | ObjectId


def inside(key: Key) -> Iterator[Key]:
    """Yield a key and all keys in it."""
    yield key
    match key:
        case Not(inner) | Fuzzy(inner):
            yield from inside(inner)
        case And(keys) | Or(keys):
            for one in keys:
                yield from inside(one)
        case _:
            pass


def mapped(key: Key, change: Callable[[Key], Key]) -> Key:
    """Return a key in which each key that holds no other is what `change` returns."""
    match key:
        case Not(inner):
            return Not(mapped(inner, change))
        case Fuzzy(inner):
            return Fuzzy(mapped(inner, change))
        case And(keys):
            return And(tuple(mapped(one, change) for one in keys))
        case Or(keys):
            return Or(tuple(mapped(one, change) for one in keys))
        case _:
            return change(key)


def cost(key: Key) -> int:
    """Return how dear a key is: 0 for what the view answers."""
    match key:
        case Not(inner) | Fuzzy(inner):
            return cost(inner)
        case And(keys) | Or(keys):
            return max((cost(one) for one in keys), default=0)
        case Text(where):
            return 2 if where is Where.HEADER else 3
        case Sent() | Saved() | ObjectId():
            return 1
        case _:
            return 0
