"""Content-Type, Content-Disposition and their parameters. RFC 2045 §5.1, 2183, 2231.

Readers are lenient: comments, missing quotes, missing semicolons' values, encoded
words where RFC 2047 §5 forbids them. Values come decoded for us and rendered for IMAP.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from mailhost.mime import words
from mailhost.mime.charsets import decode_text, unlabelled
from mailhost.mime.imap import string
from mailhost.mime.limits import MAX_PARAMETERS

Pairs = tuple[tuple[str, str], ...]
RawPairs = list[tuple[bytes, bytes]]

# type "/" subtype, both token                                          RFC 2045 §5.1
_TOKEN = rb"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]++"
MEDIA_TYPE = re.compile(rb"[ \t]*+(" + _TOKEN + rb")[ \t]*+/[ \t]*+(" + _TOKEN + rb")")
DISPOSITION = re.compile(rb"[ \t]*+(" + _TOKEN + rb")")
# parameter = attribute "=" (token / quoted-string); a quote may lack its end.
PARAMETER = re.compile(
    rb';[ \t]*+([^\s=;"]++)[ \t]*+=[ \t]*+'
    rb'(?:"((?:[^"\\]|\\.)*+)"?+|([^;]*+))'
)
COMMENT_OR_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*+"?+|[()]|\\.')
QUOTED_PAIR = re.compile(rb'\\(["\\])')
PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
# attribute ["*" section] ["*"]                                         RFC 2231 §7
SECTION = re.compile(rb"([^*]++)(?:\*(\d{1,4}))?+(\*)?+\Z")
NOT_ATTRIBUTE = re.compile(rb"[^A-Za-z0-9!#$&+\-.^_`{|}~]")
# Attributes whose unquoted value may hold spaces: names people gave to files.
_SPACED = frozenset((b"name", b"filename"))
# A longer value is not worth remembering.
_CACHED = 200


@dataclass(frozen=True, slots=True)
class Value:
    """A field's value: its main word or words, lower case, and its parameters."""

    main: str
    sub: str
    pairs: Pairs
    rendered: bytes  # body-fld-param of RFC 9051 §9

    def get(self, name: str) -> str:
        """Return the parameter of this lower-case name, or ""."""
        for key, value in self.pairs:
            if key == name:
                return value
        return ""


# RFC 2045 §5.2: what a missing or broken Content-Type means.
DEFAULT = Value("text", "plain", (("charset", "us-ascii"),), b'("charset" "us-ascii")')
# RFC 2046 §5.1.5: the same inside a multipart/digest.
DIGEST = Value("message", "rfc822", (), b"NIL")
NO_DISPOSITION = Value("", "", (), b"NIL")


def content_type(value: bytes) -> Value:
    """Read an unfolded Content-Type; one without type/subtype is the default's."""
    return (_content_type_cached if len(value) <= _CACHED else _content_type)(value)


def disposition(value: bytes) -> Value:
    """Read an unfolded Content-Disposition; its type is `main`."""
    return (_disposition_cached if len(value) <= _CACHED else _disposition)(value)


def _content_type(value: bytes) -> Value:
    value = without_comments(value)
    match = MEDIA_TYPE.match(value)
    if match is None:
        return DEFAULT
    pairs, rendered = _parameters(value, match.end())
    return Value(_lower(match[1]), _lower(match[2]), pairs, rendered)


def _disposition(value: bytes) -> Value:
    value = without_comments(value)
    match = DISPOSITION.match(value)
    if match is None:
        return NO_DISPOSITION
    pairs, rendered = _parameters(value, match.end())
    return Value(_lower(match[1]), "", pairs, rendered)


_content_type_cached = lru_cache(maxsize=2048)(_content_type)
_disposition_cached = lru_cache(maxsize=1024)(_disposition)


def _lower(token: bytes) -> str:
    return token.decode("ascii").lower()


def without_comments(value: bytes) -> bytes:
    """Return the value with its comments, nested ones too, made one space each."""
    if b"(" not in value:
        return value
    kept: list[bytes] = []
    depth = end = 0
    for match in COMMENT_OR_QUOTED.finditer(value):
        mark = match[0]
        if mark == b"(":
            if not depth:
                kept.append(value[end : match.start()] + b" ")
            depth += 1
        elif mark == b")" and depth:
            depth -= 1
            end = match.end()
    if not depth:
        kept.append(value[end:])
    return b"".join(kept)


def _parameters(value: bytes, start: int) -> tuple[Pairs, bytes]:
    """Return the parameters decoded, and rendered for IMAP. The first of a name counts.

    RFC 2231 §6: the sections of a continued value are joined for IMAP, charset and
    percent encoding stay for the client, under the name with its asterisk.
    """
    plain: dict[bytes, bytes] = {}
    sections: dict[bytes, dict[int, tuple[bytes, bool]]] = {}
    for name, text in _raw(value, start):
        match = SECTION.match(name) if b"*" in name else None
        if match is None:
            plain.setdefault(name, text)
        else:
            section = (text, match[3] is not None)
            sections.setdefault(match[1], {}).setdefault(int(match[2] or 0), section)
    if not plain and not sections:
        return (), b"NIL"
    extended = {name: _join(found) for name, found in sections.items()}
    decoded = {name: _decode_plain(text) for name, text in plain.items()}
    # RFC 2231 wins over a plain value for old readers (RFC 6266 §4.3 says so for HTTP).
    decoded |= {
        n: _decode_extended(t) if e else _decode_plain(t)
        for n, (t, e) in extended.items()
    }
    shown = list(plain.items())
    shown += [(n + b"*" * e, t) for n, (t, e) in extended.items()]
    rendered = b" ".join(string(n) + b" " + string(t) for n, t in shown)
    pairs = tuple((unlabelled(name), text) for name, text in decoded.items())
    return pairs, b"(" + rendered + b")"


def _raw(value: bytes, start: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield lower-case names and unquoted values as written."""
    for count, match in enumerate(PARAMETER.finditer(value, start)):
        if count == MAX_PARAMETERS:
            return
        name = match[1].lower()
        quoted, bare = match[2], match[3]
        if quoted is not None:
            yield name, QUOTED_PAIR.sub(rb"\1", quoted) if b"\\" in quoted else quoted
        elif name in _SPACED:
            yield name, bare.strip()
        else:
            yield name, b"".join(bare.split(None, 1)[:1])


def _join(sections: dict[int, tuple[bytes, bool]]) -> tuple[bytes, bool]:
    """Join the sections from 0 on up to the first gap; True if percent encoded.

    RFC 2231 §4.1: encoded and plain sections mix; a plain one is then encoded.
    """
    found = [sections[n] for n in range(len(sections)) if n in sections]
    extended = any(flag for _, flag in found)
    if not extended:
        return b"".join(text for text, _ in found), False
    if not found[0][1]:  # no section 0, or one that names no charset
        found.insert(0, (b"''", True))
    return b"".join(t if e else _percent(t) for t, e in found), True


def _percent(text: bytes) -> bytes:
    return NOT_ATTRIBUTE.sub(lambda match: b"%%%02X" % match[0][0], text)


def _decode_plain(text: bytes) -> str:
    return words.decode(text)


def _decode_extended(text: bytes) -> str:
    """Decode `charset'language'percent-encoded`. RFC 2231 §4."""
    charset, quote, rest = text.partition(b"'")
    _, second, body = rest.partition(b"'")
    if not (quote and second):
        charset, body = b"", text
    octets = words.unhex(PERCENT, body)
    return words.CONTROLS.sub(" ", decode_text(octets, unlabelled(charset)))
