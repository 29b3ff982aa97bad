"""The keys of DKIM and ARC signatures. RFC 6376 §3.6.1, RFC 8463, RFC 8301."""

from dataclasses import dataclass
from typing import Any

import dkim
from dkim.util import InvalidTagValueList, parse_tag_value

from mailhost.dnsauth.resolver import Answer, Asks, NoAnswer

MOST_OCTETS = 1500  # of a record; a key of 4096 bits has some 800
MOST_BITS = 4096
LEAST_BITS = 1024  # RFC 8301 §3.2
# A bigger exponent makes a stranger's key cost seconds.
MOST_EXPONENT_BITS = 33


class Unverified(dkim.DKIMException):  # type: ignore[misc] # dkimpy has no types
    """It does not verify: a result of RFC 8601 §2.7.1, and why."""

    def __init__(self, result: str, reason: str) -> None:
        super().__init__(reason)
        self.result = result


@dataclass(frozen=True, slots=True)
class Key:
    """A public key as dkimpy has it, and what its record says beside."""

    public: Any
    kind: bytes  # rsa, ed25519
    bits: int
    tags: dict[bytes, bytes]

    @property
    def flags(self) -> set[bytes]:
        """y: the domain is testing; s: i= must be d= itself. RFC 6376 §3.6.1."""
        return {flag.strip() for flag in self.tags.get(b"t", b"").split(b":")}


async def fetch(name: str, ask: Asks) -> bytes | Unverified:
    """Return the text of the key record, or why there is none; never raises."""
    try:
        answer: Answer = await ask(name, "TXT")
    except NoAnswer as error:
        return Unverified("temperror", str(error))
    texts = answer.texts
    # Several are undefined (RFC 6376 §3.6.2.2): what says it is a key goes first.
    texts.sort(key=lambda text: not text.startswith(b"v=DKIM1"))
    if not texts:
        return Unverified("permerror", "There is no key")
    if len(texts[0]) > MOST_OCTETS:
        return Unverified("permerror", "The key is too long")
    return texts[0]


def read(name: str, record: bytes) -> Key:
    """Return the key of a record; raises Unverified."""
    try:
        tags: dict[bytes, bytes] = parse_tag_value(record)
        if not tags.get(b"p", b"").strip():
            raise Unverified("permerror", "The key is revoked")
        services = {s.strip() for s in tags.get(b"s", b"*").split(b":")}
        if not services & {b"*", b"email"}:
            raise Unverified("permerror", "The key is not for mail")
        hashes = {h.strip() for h in tags.get(b"h", b"sha256").split(b":")}
        if b"sha256" not in hashes:
            raise Unverified("permerror", "The key is not for SHA-256")
        public, bits, kind, _ = dkim.evaluate_pk(name.encode(), record)
    except Unverified:
        raise
    except (InvalidTagValueList, Exception) as error:
        # dkimpy meets a stranger's key with IndexError, binascii.Error and more.
        raise Unverified("permerror", "The key cannot be read") from error
    key = Key(public, kind, bits, tags)
    _check_size(key)
    return key


def _check_size(key: Key) -> None:
    if key.kind != b"rsa":
        return
    if key.bits < LEAST_BITS:
        raise Unverified("policy", f"The key is too short ({key.bits} bits)")
    exponent = int(key.public["publicExponent"]).bit_length()
    if key.bits > MOST_BITS or exponent > MOST_EXPONENT_BITS:
        raise Unverified("policy", "The key is too large")
