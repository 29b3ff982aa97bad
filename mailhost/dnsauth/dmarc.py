"""DMARC: does the domain that readers see stand behind a message? RFC 7489.

The record and the organizational domain are found by the tree walk of DMARCbis
(draft-ietf-dmarc-dmarcbis §4.10), at most eight queries a name. A record at a public
suffix counts as psd=y even if it does not say so, so that no registry's record makes
its customers one organization.
"""

import contextlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from publicsuffixlist import PublicSuffixList

from mailhost.dnsauth.resolver import Asks, NoAnswer

MOST_AUTHORS = 5  # domains of From that are looked at
MOST_OCTETS = 4096  # of a record
LONGEST = 253  # characters of a name
WALK = 8  # labels; DMARCbis §4.10
POLICIES = ("none", "quarantine", "reject")  # the later the stricter
_SOFTER = {"reject": "quarantine", "quarantine": "none", "none": "none"}
_VERSION = re.compile(rb"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_TAG = re.compile(r"[ \t]*([A-Za-z]+)[ \t]*=[ \t]*([^;]*?)[ \t]*\Z")

Tags = dict[str, str]


@dataclass(frozen=True, slots=True)
class Dmarc:
    """What the author's domain asks for, and whether the message passed."""

    result: str = "none"  # none, pass, fail, temperror, permerror
    domain: str = ""  # the author's
    policy: str = "none"  # what the domain wants done if it fails
    organization: str = ""
    record_at: str = ""  # where the record was found
    record: Tags = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The records on the way up from a name, and its organizational domain."""

    records: dict[str, Tags]
    organization: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The domains that speak for a message."""

    passed: Sequence[str] = ()  # SPF
    signed: Sequence[str] = ()  # DKIM
    # Of which DNS could not say whether they do, of either sort.
    unknown: Sequence[str] = ()


async def check(authors: Sequence[str], evidence: Evidence, walks: "Walks") -> Dmarc:
    """Return the result for a message; never raises.

    `authors` are the domains of all From addresses. Of several the worst result
    counts: a second author must not hide the first.
    """
    wanted = names_of(authors)
    if not wanted:
        return Dmarc("permerror", reason="No author's domain can be read")
    if len(wanted) > MOST_AUTHORS:
        return Dmarc("permerror", wanted[0][:LONGEST], reason="Too many authors")
    results = [await _check(author, evidence, walks) for author in wanted]
    return max(results, key=_badness)


def names_of(authors: Iterable[str]) -> list[str]:
    """Return the domains, each once, in lower case."""
    return list(dict.fromkeys(a.lower().rstrip(".") for a in authors))


def _badness(found: Dmarc) -> tuple[int, int]:
    order = ("pass", "none", "permerror", "temperror", "fail")
    return order.index(found.result), POLICIES.index(found.policy)


async def _check(author: str, evidence: Evidence, walks: "Walks") -> Dmarc:
    name = to_ascii(author)
    if name is None:
        return Dmarc("permerror", author[:LONGEST], reason="This is no domain")
    try:
        return await _evaluate(name, evidence, walks)
    except NoAnswer as error:
        return Dmarc("temperror", name, reason=str(error))


def to_ascii(name: str) -> str | None:
    """Return a domain as DNS has it; None if it is none."""
    try:
        found = name.encode("idna").decode()
    except UnicodeError:
        return None
    return found if 0 < len(found) <= LONGEST else None


async def _evaluate(author: str, evidence: Evidence, walks: "Walks") -> Dmarc:
    found = await walks.up(author)
    at = record_domain(author, found)
    if at is None:
        return Dmarc("none", author, reason="The domain has no DMARC record")
    tags = found.records[at]
    policy = await _policy(author, at, tags, walks.ask)
    if policy is None:
        return Dmarc("permerror", author, record_at=at, reason="The record has no p=")
    result, reason = "fail", "Neither SPF nor DKIM speaks for the domain"
    if await _speaks(author, evidence, tags, walks):
        result, reason = "pass", ""
    elif await _is_aligned(author, evidence.unknown, None, walks):
        result, reason = "temperror", "DNS did not say who speaks for the domain"
    return Dmarc(result, author, policy, found.organization, at, tags, reason)


async def _speaks(author: str, evidence: Evidence, tags: Tags, walks: "Walks") -> bool:
    if await _is_aligned(author, evidence.passed, tags.get("aspf"), walks):
        return True
    return await _is_aligned(author, evidence.signed, tags.get("adkim"), walks)


def record_domain(author: str, found: Found) -> str | None:
    """Return where the record that applies is: DMARCbis §4.10.1."""
    parent = found.organization.partition(".")[2]
    for name in (author, found.organization, parent):
        tags = found.records.get(name)
        if tags is not None and (name != parent or _is_suffix(name, tags)):
            return name
    return None


async def _policy(author: str, at: str, tags: Tags, ask: Asks) -> str | None:
    """Return what is asked for; None if the record says nothing that can be read."""
    policy = tags.get("p", "")
    if policy not in POLICIES:
        if "rua" not in tags:  # RFC 7489 §6.6.3
            return None
        policy = "none"
    if author != at:
        policy = _known(tags.get("sp"), policy)
        if "np" in tags and not await _exists(author, ask):
            policy = _known(tags["np"], policy)
    # t=y: the domain is testing; older records say pct=0.
    testing = tags.get("t") == "y" or tags.get("pct") == "0"
    return _SOFTER[policy] if testing else policy


def _known(said: str | None, otherwise: str) -> str:
    return said if said in POLICIES else otherwise


async def _exists(name: str, ask: Asks) -> bool:
    for kind in ("A", "AAAA", "MX"):
        if (await ask(name, kind)).records:
            return True
    return False


async def _is_aligned(
    author: str, domains: Sequence[str], mode: str | None, walks: "Walks"
) -> bool:
    """Tell whether one of these domains may speak for the author's."""
    others = names_of(domains)
    if author in others:
        return True
    if mode == "s":
        return False
    mine = (await walks.up(author)).organization
    # Names of one organization share its end: others need no walk.
    near = [o for o in others if o == mine or o.endswith("." + mine)]
    for other in near:
        if (await walks.up(other)).organization == mine:
            return True
    return False


class Walks:
    """Walks up from names, each once."""

    def __init__(self, ask: Asks) -> None:
        """Walk on this budget."""
        self.ask = ask
        self._done: dict[str, Found] = {}
        self._records: dict[str, Tags | None] = {}

    async def begin(self, authors: Sequence[str]) -> None:
        """Walk up from the authors, while others ask elsewhere; never raises."""
        for author in names_of(authors)[:MOST_AUTHORS]:
            name = to_ascii(author)
            with contextlib.suppress(NoAnswer):
                if name is not None:
                    await self.up(name)

    async def up(self, name: str) -> Found:
        """Return what is found on the way up from a name; raises NoAnswer."""
        if name not in self._done:
            self._done[name] = await self._walk(name)
        return self._done[name]

    async def _walk(self, start: str) -> Found:
        records: dict[str, Tags] = {}
        for name in steps(start):
            if name not in self._records:
                self._records[name] = await self._record(name)
            tags = self._records[name]
            if tags is None:
                continue
            records[name] = tags
            if _is_suffix(name, tags) or tags.get("psd") == "n":
                break
        return Found(records, organization(start, records))

    async def _record(self, name: str) -> Tags | None:
        answer = await self.ask(f"_dmarc.{name}", "TXT")
        found = [text for text in answer.texts if _VERSION.match(text)]
        if len(found) != 1 or len(found[0]) > MOST_OCTETS:
            return None  # RFC 7489 §6.6.3: several count as none
        return tags_of(found[0])


def steps(start: str) -> list[str]:
    """Return the names that are asked, the longest first: DMARCbis §4.10."""
    labels = start.split(".")
    tails = range(min(len(labels) - 1, WALK - 1), 0, -1)
    return [start, *(".".join(labels[-n:]) for n in tails)]


def organization(start: str, records: dict[str, Tags]) -> str:
    """Return the organizational domain of a name: DMARCbis §4.10.2."""
    for name, tags in records.items():
        if tags.get("psd") == "n":
            return name
        if name != start and _is_suffix(name, tags):
            below = start[: -len(name) - 1].rpartition(".")[2]
            return f"{below}.{name}"
    return min(records, key=lambda name: name.count("."), default=start)


def tags_of(text: bytes) -> Tags:
    """Read a record; what cannot be read in it is left out, as RFC 7489 §6.3 says."""
    found: Tags = {}
    for part in text.decode("utf-8", "replace").split(";"):
        match = _TAG.match(part)
        if match is not None:
            name = match[1].lower()
            value = match[2] if name in {"rua", "ruf"} else match[2].lower()
            found.setdefault(name, value)
    return found


def _is_suffix(name: str, tags: Tags) -> bool:
    """Whether names below this one belong to many."""
    if tags.get("psd") in {"y", "n"}:
        return tags["psd"] == "y"
    return is_public_suffix(name)


def is_public_suffix(name: str) -> bool:
    """Tell whether a registry gives out names below this one."""
    return bool(_suffixes().is_public(name))


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)
