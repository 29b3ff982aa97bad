"""The part that DKIM and ARC share: one signature over header and body, by dkimpy.

dkimpy reads tags, canonicalises fields and does the arithmetic. What it leaves open to
a stranger is closed here: keys are fetched before, bounded in size and purpose; the
body is hashed in pieces; header fields and tags are bounded, since its regular
expressions are quadratic in runs of white space.
"""

import base64
import binascii
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dkim
from dkim.util import InvalidTagValueList, parse_tag_value
from typing_extensions import override

from mailhost.dnsauth import keys
from mailhost.dnsauth.body import Body
from mailhost.dnsauth.keys import Unverified
from mailhost.mime.headers import block_end, fields, get_all
from mailhost.mime.limits import MAX_HEADER

MOST_FIELDS = 1000  # of a message whose signatures are looked at
MOST_TAGS = 8192  # octets of a signature field
MOST_NAMES = 128  # of h=
_RUN = re.compile(rb"[ \t\r\n]{65}")
_BLANKS = re.compile(rb"[ \t\r\n]+")
_NAME = re.compile(rb"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")
_HASHES = {
    b"rsa-sha256": "sha256",
    b"ed25519-sha256": "sha256",
}

quiet = logging.getLogger("dkimpy")
quiet.setLevel(logging.CRITICAL)  # every bad signature of a stranger is an error to it

Keys = Mapping[str, bytes | Unverified]


@dataclass(slots=True)
class Letter:
    """A message to verify: header fields as dkimpy wants them, and the body."""

    fields: list[list[bytes]]  # none where no signature is looked at
    body: Body
    authors: list[bytes]  # the values of From, unfolded, whatever the rest is like

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of the fields of this lower-case name, topmost first."""
        return [value for key, value in self.fields if key.lower() == name]


def letter_of(octets: bytes) -> Letter:
    """Split a message; its octets are as they arrived, lines end in CRLF.

    A header that is longer than any real one counts as not signed.
    """
    end = block_end(octets, 0, len(octets))
    header = octets[:end]
    body = Body(memoryview(octets)[end:])
    authors = get_all(header, b"from")
    if len(header) > MAX_HEADER:
        return Letter([], body, authors)
    found = [[name, value + b"\r\n"] for name, value in fields(header)]
    return Letter(found if len(found) <= MOST_FIELDS else [], body, authors)


def tags_of(value: bytes) -> dict[bytes, bytes]:
    """Return the tags of a signature field; raises Unverified.

    One that is longer than any real one, or has long runs of white space, is not read.
    """
    if len(value) > MOST_TAGS or _RUN.search(value):
        raise Unverified("permerror", "The signature is oddly long")
    try:
        found: dict[bytes, bytes] = parse_tag_value(value)
    except InvalidTagValueList:
        raise Unverified("permerror", "The signature has a syntax error") from None
    return found


def key_name(tags: Mapping[bytes, bytes]) -> str:
    """Return where the key of a signature is; raises Unverified."""
    selector, domain = tags.get(b"s", b""), tags.get(b"d", b"")
    if not (_NAME.fullmatch(selector) and _NAME.fullmatch(domain)):
        raise Unverified("permerror", "The signature names no key")
    name = f"{selector.decode()}._domainkey.{domain.decode()}"
    return name.rstrip(".").lower()


def key_names(values: Iterable[bytes]) -> list[str]:
    """Return where the keys of these signature fields are, of those that name one."""
    found = dict.fromkeys(name for value in values if (name := _key_name(value)))
    return list(found)


def _key_name(value: bytes) -> str:
    try:
        return key_name(tags_of(value))
    except Unverified:
        return ""


@dataclass(slots=True)
class Seen:
    """What a signature that verified was made with."""

    key: keys.Key
    is_partial: bool = False  # l= leaves out some of the body
    tags: dict[bytes, bytes] = field(default_factory=dict)


class Checked:
    """Mixed into dkimpy's DKIM and ARC: how one signature is verified here."""

    letter: Letter
    known: Keys
    seen: Seen | None = None

    def prepare(self, letter: Letter, known: Keys) -> None:
        """Take the message; dkimpy's own reading of it is not used."""
        self.letter, self.known = letter, known
        self.headers = letter.fields
        self.body = b""

    def verify_sig(
        self,
        sig: dict[bytes, bytes],
        include_headers: list[bytes],
        sig_header: Any,
        dnsfunc: Any,
    ) -> bool:
        """Verify; in place of dkimpy's, which does not tell why it failed."""
        if len(include_headers) > MOST_NAMES:
            raise Unverified("permerror", "The signature names too many fields")
        name = key_name(sig)
        record = self.known.get(name) or Unverified("permerror", "There is no key")
        if isinstance(record, Unverified):
            raise record
        key = keys.read(name, record)
        self.seen = Seen(key, tags=sig)
        self._check_algorithm(sig, key)
        if b"bh" in sig:
            self._check_body(sig)
        self.pk, self.keysize, self.ktag = key.public, key.bits, key.kind
        # Without bh dkimpy leaves the body alone.
        rest = {tag: value for tag, value in sig.items() if tag != b"bh"}
        given: Any = self
        return bool(given.verify_sig_process(rest, include_headers, sig_header, None))

    @staticmethod
    def _check_algorithm(sig: dict[bytes, bytes], key: keys.Key) -> None:
        algorithm = sig.get(b"a", b"")
        if algorithm == b"rsa-sha1":  # RFC 8301 §3.1
            raise Unverified("policy", "SHA-1 is not believed any more")
        if algorithm not in _HASHES:
            raise Unverified("permerror", "The algorithm is unknown")
        if algorithm.partition(b"-")[0] != key.kind:
            raise Unverified("permerror", "The key is of another kind")

    def _check_body(self, sig: dict[bytes, bytes]) -> None:
        """Compare the hash of the body. RFC 6376 §3.7."""
        assert self.seen is not None
        canonical = sig.get(b"c", b"simple/simple").partition(b"/")[2] or b"simple"
        limit = int(sig[b"l"]) if b"l" in sig else None
        found = self.letter.body.digest(canonical, _HASHES[sig[b"a"]], limit)
        try:
            wanted = base64.b64decode(re.sub(rb"\s+", b"", sig[b"bh"]))
        except binascii.Error:
            raise Unverified("permerror", "bh= is no base64") from None
        if found.octets != wanted or (limit is not None and limit > found.length):
            raise Unverified("fail", "The body was changed")
        self.seen.is_partial = limit is not None and limit < found.length


class DkimVerifier(Checked, dkim.DKIM):  # type: ignore[misc] # dkimpy has no types
    """DKIM signatures of a letter."""


class ArcVerifier(Checked, dkim.ARC):  # type: ignore[misc] # dkimpy has no types
    """ARC sets of a letter."""

    @override
    def prepare(self, letter: Letter, known: Keys) -> None:
        super().prepare(letter, known)
        self.headers = [_with_blanks(name, value) for name, value in letter.fields]


def _with_blanks(name: bytes, value: bytes) -> list[bytes]:
    """Return a signature field of ARC as dkimpy finds it: it looks for " i=1;".

    White space does not count where the header is read relaxed.
    """
    if name.lower() != b"arc-message-signature" or b"simple/" in value:
        return [name, value]
    return [name, b" " + _BLANKS.sub(b" ", value).strip(b" ") + b"\r\n"]
