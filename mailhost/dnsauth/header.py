"""Authentication-Results: written, read, and taken out where it is forged. RFC 8601.

What arrives with our own name in it was not written by us: a program that believes the
field by that name would believe a stranger (§5). Only such fields are taken out; all
other octets stay.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailhost.mime.headers import FIELD, block_end

NAME = b"authentication-results"
MOST_DEPTH = 50  # of comments in comments
LONGEST = 8192  # octets of a field that is read; in longer ones our name is forged
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+")
_UNSAFE = re.compile(r"[^ -~]+")
_LINE = 76  # columns


@dataclass(frozen=True, slots=True)
class Result:
    """One method's word."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()  # ("smtp.mailfrom", "example.org")
    comment: str = ""


def write(authserv_id: str, results: Sequence[Result]) -> bytes:
    """Return the field with its final line end; pure ASCII. RFC 8601 §2.2."""
    parts = [_written(result) for result in results] or [["none"]]
    lines = [f"Authentication-Results: {authserv_id};"]
    for number, words in enumerate(parts):
        words[-1] += ";" * (number < len(parts) - 1)
        line = "\t" + words[0]
        for word in words[1:]:
            if len(line) + len(word) > _LINE:
                lines.append(line)
                line = "\t  " + word
            else:
                line += " " + word
        lines.append(line)
    return ("\r\n".join(lines) + "\r\n").encode()


def _written(result: Result) -> list[str]:
    words = [f"{result.method}={result.result}"]
    if result.comment:
        words.append(f"({_comment(result.comment)})")
    return words + [f"{name}={_value(v)}" for name, v in result.properties if v]


def _comment(text: str) -> str:
    return re.sub(r"[()\\]", "", _UNSAFE.sub("?", text))[:200]


def _value(text: str) -> str:
    text = _UNSAFE.sub("?", text)[:255]
    if _TOKEN.fullmatch(text):
        return text
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def without_forged(octets: bytes, authserv_id: str) -> bytes:
    """Return a message without the fields that claim to be ours. RFC 8601 §5."""
    end = block_end(octets, 0, len(octets))
    if NAME not in octets[:end].lower():
        return octets
    spans = _forged(octets[:end], authserv_id)
    if not spans:
        return octets
    kept, start = [], 0
    for begin, stop in spans:
        kept.append(octets[start:begin])
        start = stop
    return b"".join([*kept, octets[start:]])


def _forged(header: bytes, authserv_id: str) -> list[tuple[int, int]]:
    """Return where the fields are that claim to be ours, line ends included."""
    # FIELD wants the line end before a field, and leaves the one behind it.
    found = []
    for match in FIELD.finditer(b"\n" + header):
        if match[1].lower() == NAME and claims(match[2], authserv_id):
            begin = match.start()
            found.append((begin, min(match.end(), len(header))))
    return found


def claims(value: bytes, authserv_id: str) -> bool:
    """Tell whether a field says, or may be read to say, that we wrote it.

    One of a later version of the field counts as well: RFC 8601 §5.
    """
    text = value.decode("utf-8", "replace")
    wanted = authserv_id.casefold().rstrip(".")
    if len(value) > LONGEST:
        return wanted in "".join(text.casefold().split())
    head = list(itertools.takewhile(lambda piece: piece != ";", _tokens(text)))
    said = _plain(head[0]).casefold().rstrip(".") if head else ""
    version = head[1] if len(head) == 2 else "1"
    if said == wanted or (version.isdigit() and version != "1"):
        return True
    # What cannot be read for sure is ours if our name is in it before the results.
    sure = _TOKEN.fullmatch(said) and len(head) <= 2 and version.isdigit()
    return not sure and wanted in "".join(text.casefold().split()).partition(";")[0]


def read(value: bytes) -> list[Result]:
    """Return the results of a field's value, whatever stands before them.

    What cannot be read is left out.
    """
    found = []
    for clause in _clauses(value.decode("utf-8", "replace")):
        pairs = _pairs(clause)
        if not pairs or "." in pairs[0][0]:
            continue
        method, result = pairs[0]
        properties = tuple((n.lower(), v) for n, v in pairs[1:] if "." in n)
        method = method.partition("/")[0].lower()
        found.append(Result(method, result.lower(), properties))
    return found


def _clauses(text: str) -> Iterator[list[str]]:
    clause: list[str] = []
    for piece in _tokens(text):
        if piece == ";":
            yield clause
            clause = []
        else:
            clause.append(piece)
    yield clause


def _pairs(tokens: list[str]) -> list[tuple[str, str]]:
    """Return name=value pairs; a name or value may come in several tokens."""
    found = []
    for place, piece in enumerate(tokens):
        if piece == "=" and 0 < place < len(tokens) - 1:
            found.append((tokens[place - 1], _plain(tokens[place + 1])))
    return found


_PIECES = re.compile(
    # One that is never closed runs to the end: trying each quote would be quadratic.
    r'(?P<quoted>"(?:[^"\\]|\\.|\\\Z)*+(?:"|\Z))'
    r'|(?P<mark>[;=])|(?P<word>[^\s;="()]++)'
    r"|(?P<open>\()|(?P<other>.)",
    re.DOTALL,
)
_COMMENT = re.compile(r"\\.|[()]|[^\\()]++|\\", re.DOTALL)


def _tokens(text: str) -> Iterator[str]:
    """Yield words, quoted strings, ; and =, without white space and comments."""
    place = 0
    while match := _PIECES.match(text, place):
        place = match.end()
        if match["open"]:
            place = _after_comment(text, place)
        elif not match["other"] or not match[0].isspace():
            yield match[0]


def _after_comment(text: str, place: int) -> int:
    depth = 1
    while depth and (match := _COMMENT.match(text, place)):
        place = match.end()
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth > MOST_DEPTH:
            return len(text)
    return place


def _plain(token: str) -> str:
    if token[:1] == '"':
        return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)
    return token
