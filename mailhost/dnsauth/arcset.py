"""ARC sets made: what we saw of a message, sealed, for those it goes on to. RFC 8617.

A set is three fields with one number: what was seen, a signature over the message, and
a seal over all sets. dkimpy could write them; its way over a body is quadratic, so the
body's hash is ours here, too, and with it the forty lines that remain.
"""

import base64
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from mailhost.dnsauth.arc import MOST_SETS
from mailhost.dnsauth.keys import Unverified
from mailhost.dnsauth.signed import Letter, tags_of

# In a set, in the order in which a seal signs them. §5.1.1
NAMES = (b"arc-authentication-results", b"arc-message-signature", b"arc-seal")
MOST_SIGNED = 800  # octets of h=: a line of the field has at most 998
_NUMBER = re.compile(rb"(?:\A|;)[ \t\r\n]*i[ \t]*=[ \t]*([0-9]{1,3})[ \t\r\n]*(?:;|\Z)")
_BLANKS = re.compile(rb"[ \t]+")
_SAID, _SIGNATURE, _SEAL = (
    *(b"ARC-Authentication-Results", b"ARC-Message-Signature", b"ARC-Seal"),
)

Field = tuple[bytes, bytes]  # name, value


@dataclass(frozen=True, slots=True)
class Sealer:
    """Who seals: a domain and the name and secret of its key."""

    domain: str
    selector: str
    key: RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Sight:
    """What the sealer saw when the message came."""

    results: bytes  # of Authentication-Results, from the name of who says it on
    chain: str  # none, pass or fail: what held of the sets before


def seal(
    letter: Letter,
    sight: Sight,
    sealer: Sealer,
    names: Sequence[bytes],
    now: int | None = None,
) -> bytes:
    """Return the fields of the next set, to stand in front of the message.

    `names` are the fields to sign, in lower case. Empty where a chain ended, or where
    there is nothing that another could read: RFC 8617 §5.1 step 2.
    """
    before = _sets(letter.fields)
    number = max(before, default=0) + 1
    if (
        not letter.fields
        or number > MOST_SETS
        or _has_ended(before.get(number - 1, []))
    ):
        return b""
    chain = sight.chain if before else "none"
    when = int(time.time()) if now is None else now
    common: dict[str, str | int] = {
        "a": "rsa-sha256",
        "d": sealer.domain,
        "i": number,
        "s": sealer.selector,
    }
    said = (_SAID, b"i=%d; %b" % (number, sight.results.strip()))
    signature: dict[str, str | int] = {
        **common,
        "b": "",
        "bh": base64.b64encode(
            letter.body.digest(b"relaxed", "sha256").octets
        ).decode(),
        "c": "relaxed/relaxed",
        "h": b":".join(names).decode(),
        "t": when,
    }
    signed = _signed(_SIGNATURE, signature, _picked(letter, names), sealer.key)
    older = [] if chain == "fail" else _in_order(before)  # §5.1.2
    sealing: dict[str, str | int] = {**common, "b": "", "cv": chain, "t": when}
    top = _signed(_SEAL, sealing, [*older, said, signed], sealer.key)
    return b"".join(b"%b: %b\r\n" % field for field in (top, signed, said))


def names_to_sign(letter: Letter, wanted: Iterable[bytes]) -> list[bytes]:
    """Return the wanted names as often as they are there, From once more. §4.1.2."""
    there = [name.lower() for name, _ in letter.fields]
    names = [name for name in wanted for _ in range(there.count(name))]
    names = [b"from", *names]
    while sum(map(len, names)) + len(names) > MOST_SIGNED:
        names.pop()
    return names


def _sets(fields: Iterable[Sequence[bytes]]) -> dict[int, list[Field]]:
    """Return the fields of ARC by the number of their set."""
    found: dict[int, list[Field]] = {}
    for name, value in fields:
        if name.lower() in NAMES and (match := _NUMBER.search(value)):
            found.setdefault(int(match[1]), []).append((name, value))
    return found


def _has_ended(newest: Iterable[Field]) -> bool:
    for name, value in newest:
        if name.lower() == NAMES[2]:
            try:
                return tags_of(value).get(b"cv", b"").strip().lower() == b"fail"
            except Unverified:
                return True
    return False


def _in_order(sets: dict[int, list[Field]]) -> list[Field]:
    return [
        field
        for number in sorted(sets)
        for field in sorted(sets[number], key=lambda one: NAMES.index(one[0].lower()))
    ]


def _picked(letter: Letter, names: Sequence[bytes]) -> list[Field]:
    """Return the fields of these names, the last of each first. RFC 6376 §5.4.2."""
    left: dict[bytes, list[Field]] = {}
    for name, value in letter.fields:
        left.setdefault(name.lower(), []).append((name, value))
    return [left[name].pop() for name in names if left.get(name)]


def _signed(
    name: bytes, tags: dict[str, str | int], over: Sequence[Field], key: RSAPrivateKey
) -> Field:
    """Return the field of these tags, with its signature in b=."""
    octets = b"".join(map(_relaxed, over)) + _relaxed((name, _written(tags)))[:-2]
    made = base64.b64encode(key.sign(octets, PKCS1v15(), SHA256())).decode()
    return name, _written(tags | {"b": made})


def _written(tags: dict[str, str | int]) -> bytes:
    # A fold between tags is one blank to who reads them relaxed; dkimpy wants a blank.
    return ";\r\n ".join(f"{name}={tags[name]}" for name in sorted(tags)).encode()


def _relaxed(field: Field) -> bytes:
    """Return a field in its canonical form. RFC 6376 §3.4.2."""
    name, value = field
    plain = _BLANKS.sub(b" ", value.replace(b"\r\n", b"").replace(b"\n", b""))
    return name.strip().lower() + b":" + plain.strip(b" ") + b"\r\n"
