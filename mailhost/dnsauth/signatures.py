"""DKIM: whose signature does a message bear, and does it hold? RFC 6376."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from mailhost.dnsauth import keys, work
from mailhost.dnsauth.keys import Unverified
from mailhost.dnsauth.resolver import Asks
from mailhost.dnsauth.signed import (
    DkimVerifier,
    Keys,
    Letter,
    key_names,
    quiet,
    tags_of,
)

MOST_SIGNATURES = 10  # RFC 6376 §6.1 lets a verifier limit them
FIELD = b"dkim-signature"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature: a result of RFC 8601 §2.7.1."""

    result: str  # pass, fail, neutral, policy, temperror, permerror
    domain: str = ""
    selector: str = ""
    algorithm: str = ""
    bits: int = 0
    mark: str = ""  # the first characters of b=, which tell signatures apart
    reason: str = ""

    @property
    def holds(self) -> bool:
        """Whether the domain stands behind the message."""
        return self.result == "pass"


async def fetch_keys(values: Sequence[bytes], ask: Asks) -> Keys:
    """Fetch the keys of these signature fields, all at the same time."""
    names = key_names(values)
    found = await asyncio.gather(*(keys.fetch(name, ask) for name in names))
    return dict(zip(names, found, strict=True))


async def verify(letter: Letter, ask: Asks) -> tuple[Signature, ...]:
    """Return what each signature says, topmost first; never raises."""
    values = letter.values(FIELD)[:MOST_SIGNATURES]
    if not values:
        return ()
    known = await fetch_keys(values, ask)
    return await work.run(_verify_all, letter, values, known)


def _verify_all(
    letter: Letter, values: Sequence[bytes], known: Keys
) -> tuple[Signature, ...]:
    return tuple(_verify(letter, n, value, known) for n, value in enumerate(values))


def _verify(letter: Letter, number: int, value: bytes, known: Keys) -> Signature:
    tags: dict[bytes, bytes] = {}
    verifier = DkimVerifier(logger=quiet)
    verifier.prepare(letter, known)
    try:
        tags = tags_of(value)
        _check_tags(tags)
        holds = verifier.verify(idx=number)
        result, reason = ("pass", "") if holds else ("fail", "The header was changed")
        if holds:
            result, reason = _judge(verifier, tags)
    except Unverified as error:
        result, reason = error.result, str(error)
    except Exception as error:  # noqa: BLE001 - dkimpy on a stranger's octets
        result, reason = "permerror", str(error)[:200] or type(error).__name__
    return _signature(result, reason, tags, verifier)


def _check_tags(tags: dict[bytes, bytes]) -> None:
    """Check what dkimpy does not."""
    names = {name.strip().lower() for name in tags.get(b"h", b"").split(b":")}
    if b"from" not in names:  # RFC 6376 §6.1.1
        raise Unverified("permerror", "From is not signed")


def _judge(verifier: DkimVerifier, tags: dict[bytes, bytes]) -> tuple[str, str]:
    """Return the result of a signature that holds."""
    assert verifier.seen is not None
    domain = tags[b"d"].lower()
    identity = tags.get(b"i", domain).rpartition(b"@")[2].lower()
    if b"s" in verifier.seen.key.flags and identity != domain:
        return "permerror", "The key is not for subdomains"
    if verifier.seen.is_partial:
        # Anybody may have added the rest. RFC 6376 §8.2
        return "policy", "Only a part of the body is signed"
    return "pass", ""


def _signature(
    result: str, reason: str, tags: dict[bytes, bytes], verifier: DkimVerifier
) -> Signature:
    key = verifier.seen.key if verifier.seen is not None else None

    def text(tag: bytes) -> str:
        return tags.get(tag, b"").decode("ascii", "replace")[:253]

    return Signature(
        result,
        text(b"d").lower().rstrip("."),
        text(b"s"),
        text(b"a"),
        key.bits if key is not None else 0,
        "".join(text(b"b").split())[:8],
        reason,
    )
