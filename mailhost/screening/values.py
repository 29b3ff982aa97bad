"""What a check sees, what it finds, and what follows."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from accounts.names import split_address
from mailhost.dnsauth.authentication import Authentication
from mailhost.dnsauth.resolver import Asks
from mailhost.mime.headers import block_end, first_fields, get_all
from mailhost.mime.message import parse
from mailhost.mime.part import Part

REFUSED = "550 5.7.1"
DUTIES = frozenset({"postmaster", "abuse"})


class Action(Enum):
    """What becomes of a message, the later the worse."""

    ACCEPT = "accept"
    JUNK = "junk"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Incoming:
    """A message that somebody hands in, as it arrived."""

    octets: bytes
    peer: str  # IP address
    helo: str
    mail_from: str
    recipients: tuple[str, ...]
    host: str  # what we call ourselves
    origin: Authentication
    ask: Asks  # DNS, on the message's budget; raises NoAnswer

    @cached_property
    def header(self) -> bytes:
        """The header block."""
        return self.octets[: block_end(self.octets, 0, len(self.octets))]

    @cached_property
    def fields(self) -> dict[bytes, bytes]:
        """Unfolded values by lower-case name, the first of each."""
        return first_fields(self.header)

    def all(self, name: bytes) -> list[bytes]:
        """Return the unfolded values of all fields of a name."""
        return get_all(self.header, name)

    @cached_property
    def root(self) -> Part:
        """The tree of its parts; takes time, so ask in a thread for large messages."""
        return parse(self.octets).root


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check has to say: points towards junk, or what must happen."""

    check: str
    score: float
    reason: str
    action: Action = Action.ACCEPT
    is_harm: bool = False  # refused also where nearly all else is taken


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a message, and why."""

    action: Action
    score: float
    findings: tuple[Finding, ...]
    origin: Authentication

    @property
    def is_junk(self) -> bool:
        """Whether it is filed into Junk."""
        return self.action is Action.JUNK

    @property
    def reply(self) -> str:
        """The SMTP reply to a message that is refused."""
        worst = max(self.findings, key=lambda f: (_rank(f.action), f.score))
        return f"{REFUSED} {printable(worst.reason) or 'This message is not wanted'}"

    def to_json(self) -> str:
        """Return what is kept with the message."""
        kept = {
            "action": self.action.value,
            "score": round(self.score, 2),
            "findings": [[f.check, f.score, f.reason] for f in self.findings],
            "results": [
                [r.method, r.result, dict(r.properties), r.comment]
                for r in self.origin.results()
            ],
            "from": self.origin.dmarc.domain,
            "signers": self.origin.signers,
        }
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def is_duty(recipient: str) -> bool:
    """Tell whether an address is one that must hear of trouble.

    RFC 5321 §4.5.1 wants every reasonable effort made to take its mail; RFC 2142 §2.
    """
    return split_address(recipient)[0] in DUTIES


def decide(
    findings: Iterable[Finding],
    origin: Authentication,
    junk: float,
    refuse: float,
    *,
    lenient: bool = False,
) -> Verdict:
    """Return what follows from the findings; a threshold of 0 is never reached.

    Where it is lenient, only what does harm is refused; all else is junk at worst.
    """
    found = tuple(findings)
    score = sum(finding.score for finding in found)
    wanted = [finding.action for finding in found]
    if refuse and score >= refuse:
        wanted.append(Action.REFUSE)
    if junk and score >= junk:
        wanted.append(Action.JUNK)
    action = max(wanted, key=_rank, default=Action.ACCEPT)
    if lenient and action is Action.REFUSE and not any(f.is_harm for f in found):
        action = Action.JUNK
    return Verdict(action, score, found, origin)


def _rank(action: Action) -> int:
    return list(Action).index(action)


def printable(text: str) -> str:
    """Return text for an SMTP reply: one line of ASCII, not too long."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:200].strip()
