"""The lines that a server sends. RFC 1939 §3, RFC 2449 §3."""

from collections.abc import Iterable, Iterator
from itertools import islice

from protocols.pop3.errors import Refused

LINES_AT_ONCE = 1000


def ok(text: str = "") -> bytes:
    """Return a positive status."""
    return f"+OK {text}".rstrip().encode() + b"\r\n"


def err(error: Refused | str, code: str = "") -> bytes:
    """Return a negative status, with its response code if it has one."""
    code = code or getattr(error, "code", "")
    return f"-ERR {f'[{code}] ' if code else ''}{error}\r\n".encode()


def challenge(octets: bytes) -> bytes:
    """Return a server challenge; octets are base64 already. RFC 5034 §4."""
    return b"+ " + octets + b"\r\n"


def multi_line(first: str, lines: Iterable[str]) -> Iterator[bytes]:
    """Yield a response with a listing; no line of ours begins with a dot."""
    yield ok(first)
    rest = iter(lines)
    while some := list(islice(rest, LINES_AT_ONCE)):
        yield "".join(f"{line}\r\n" for line in some).encode()
    yield b".\r\n"
