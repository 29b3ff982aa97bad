"""What an inspection of a domain finds, and what it knows on the way."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from mailhost.outbound.inspecting import Shown

GOOD, WEAK, BAD, UNKNOWN = "good", "weak", "bad", "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what to do about it."""

    topic: str
    verdict: str  # good, weak (better could be done), bad (must be fixed), unknown
    text: str
    fix: str = ""


@dataclass(slots=True)
class Subject:
    """The domain, and what the first checks found of it."""

    domain: str
    host: str
    hosts: list[str] = field(default_factory=list)  # MX, best first
    addresses: list[str] = field(default_factory=list)  # of our own host
    shown: dict[str, Shown] = field(default_factory=dict)  # host -> what port 25 shows


Check = Callable[[Subject], Awaitable[list[Finding]]]
