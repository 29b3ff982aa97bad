"""The lines that a server sends. RFC 1939 §3, RFC 2449 §3.

`speak` says in which language texts leave from here on: the connection that is asked
says it first, and everything it answers is made before another one is asked.
"""

from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from itertools import chain, islice

from protocols.common.wording import DEFAULT
from protocols.pop3.errors import Refused
from protocols.pop3.wording import in_language

LINES_AT_ONCE = 1000
_language = ContextVar("language", default=DEFAULT)
speak = _language.set


def ok(text: str = "") -> bytes:
    """Return a positive status."""
    return f"+OK {in_language(_language.get(), text)}".rstrip().encode() + b"\r\n"


def err(error: Exception | str, code: str = "") -> bytes:
    """Return a negative status, with its response code if it has one."""
    code = code or getattr(error, "code", "")
    text = error if isinstance(error, str) else text_of(error)
    said = in_language(_language.get(), text)
    return f"-ERR {f'[{code}] ' if code else ''}{said}\r\n".encode()


def text_of(error: Exception) -> str:
    """Return what an error was made with: a text that knows its template."""
    first = error.args[0] if error.args else ""
    return (
        first if isinstance(first, str) and isinstance(error, Refused) else str(error)
    )


def challenge(octets: bytes) -> bytes:
    """Return a server challenge; octets are base64 already. RFC 5034 §4."""
    return b"+ " + octets + b"\r\n"


def multi_line(first: str, lines: Iterable[str]) -> Iterator[bytes]:
    """Return a response with a listing; no line of ours begins with a dot."""
    return chain([ok(first)], _listing(lines))


def _listing(lines: Iterable[str]) -> Iterator[bytes]:
    rest = iter(lines)
    while some := list(islice(rest, LINES_AT_ONCE)):
        yield "".join(f"{line}\r\n" for line in some).encode()
    yield b".\r\n"
