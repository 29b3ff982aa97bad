"""The Received field. RFC 5321 §4.4.

Without `for`: one blob serves all recipients, and none may read of another.
"""

import random
import re
import time
from email.utils import formatdate

_UNSAFE = re.compile(r"[^!-'*-\[\]-~]+")
_made: tuple[int, str] = (0, "")


def received(
    *, helo: str, peer: str, host: str, protocol: str, show_peer: bool = True
) -> bytes:
    """Return the field for a message that comes in now.

    `protocol` is a word of RFC 3848 (ESMTPS, …) or RFC 6531 §4.3.
    """
    name = _UNSAFE.sub("?", helo)[:255] or "unknown"
    came = f"from {name} ({_literal(peer)})\r\n\tby" if show_peer else "by"
    identifier = f"{random.getrandbits(64):016x}"
    return (
        f"Received: {came} {host} with {protocol} id {identifier};\r\n\t{_date()}\r\n"
    ).encode()


def with_protocol(
    *, lmtp: bool, extended: bool, tls: bool, login: bool, utf8: bool = False
) -> str:
    """Return the word for how it came. RFC 3848, RFC 6531 §4.3."""
    if not extended:
        return "SMTP"
    kind = "LMTP" if lmtp else "SMTP" if utf8 else "ESMTP"
    return "UTF8" * utf8 + kind + "S" * tls + "A" * login


def _literal(peer: str) -> str:
    # RFC 5321 §4.1.3
    if not peer:
        return "[local]"
    return f"[IPv6:{peer}]" if ":" in peer else f"[{peer}]"


def _date() -> str:
    # One a second is enough.
    global _made  # noqa: PLW0603 - a cache of one
    now = int(time.time())
    if _made[0] != now:
        _made = (now, formatdate(now))
    return _made[1]
