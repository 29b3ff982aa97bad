"""What the parameters of MAIL and RCPT ask for.

A parameter is understood where its extension was announced, so that the two cannot
disagree. Values that no RFC allows are refused, not guessed.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from mailhost.outbound.values import Deadline
from protocols.smtp import replies
from protocols.smtp.paths import Path, Refused

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
# RFC 6533 §3, utf-8-enc-addr; the code point is looked at when it is read.
_UTF8_XTEXT = re.compile(r"(?:[!-*,-<>-\[\]-~\u0080-\U0010ffff]|\\x\{[0-9A-F]{2,6}\})+")
_NOTIFY = {"SUCCESS", "FAILURE", "DELAY"}
_BODIES = {"7BIT": "", "8BITMIME": "", "BINARYMIME": "BINARYMIME"}
_BY = re.compile(r"([+-]?\d{1,9});([NR])(T?)", re.IGNORECASE)
_PRIORITY = re.compile(r"-?[0-9]")


@dataclass(frozen=True, slots=True)
class MailOptions:
    """What the sender asked for with MAIL."""

    size: int = 0  # octets, as announced; 0: not said
    binary: bool = False  # BODY=BINARYMIME
    smtputf8: bool = False
    ret: str = ""  # FULL, HDRS or nothing said
    envid: str = ""  # as written, xtext
    require_tls: bool = False
    priority: int = 0  # -9 to 9
    deliver_by: Deadline | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class RcptOptions:
    """What the sender asked for with one RCPT."""

    notify: str = ""  # as written, upper case; empty: failures (RFC 3461 §4.1)
    orcpt: str = ""  # addr-type;xtext


NOTHING_SAID = MailOptions()


def mail_options(
    path: Path, *, max_bytes: int, offered: Collection[str]
) -> MailOptions:
    """Read MAIL's parameters; raises Refused. `offered` are EHLO keywords."""
    if not path.parameters and path.is_ascii:
        return NOTHING_SAID
    found: dict[str, Any] = {}
    for name, value in path.parameters.items():
        keyword, read = _MAIL.get(name, ("?", _flag))
        if keyword not in offered:
            raise Refused(replies.UNKNOWN_PARAMETER)
        found |= read(value)
    if "HOLDFOR" in path.parameters and "HOLDUNTIL" in path.parameters:
        raise Refused(replies.BAD_PARAMETER)  # RFC 4865 §5
    if not path.is_ascii and not found.get("smtputf8"):
        raise Refused(replies.NEED_SMTPUTF8)  # RFC 6531 §3.5
    options = replace(NOTHING_SAID, **found) if found else NOTHING_SAID
    if options.size > max_bytes:
        raise Refused(replies.TOO_BIG)
    return options


def rcpt_options(
    path: Path, *, smtputf8: bool, offered: Collection[str]
) -> RcptOptions:
    """Read RCPT's parameters; raises Refused."""
    if not path.is_ascii and not smtputf8:
        raise Refused(replies.NEED_SMTPUTF8)
    if not path.parameters:
        return RcptOptions()
    given = dict(path.parameters)
    notify, orcpt = given.pop("NOTIFY", None), given.pop("ORCPT", None)
    if given or "DSN" not in offered:
        raise Refused(replies.UNKNOWN_PARAMETER)
    return RcptOptions(_notify(notify), _orcpt(orcpt, smtputf8=smtputf8))


def _notify(said: str | None) -> str:
    """RFC 3461 §4.1."""
    if said is None:
        return ""
    words = said.upper().split(",")
    if words != ["NEVER"] and not (
        set(words) <= _NOTIFY and len(words) == len(set(words))
    ):
        raise Refused(replies.BAD_PARAMETER)
    return ",".join(words)


def _orcpt(said: str | None, *, smtputf8: bool) -> str:
    """RFC 3461 §4.2, RFC 6533 §3."""
    if said is None:
        return ""
    kind, _, address = said.partition(";")
    good = _UTF8_XTEXT if kind.lower() == "utf-8" else _XTEXT
    raw = address.isascii() or smtputf8
    if not (kind and address and raw and len(said) <= 500) or (
        good.fullmatch(address) is None
    ):
        raise Refused(replies.BAD_PARAMETER)
    return said


# ---- MAIL, one function for each parameter


def _flag(value: str) -> dict[str, Any]:
    """A parameter without a value."""
    if value:
        raise Refused(replies.BAD_PARAMETER)
    return {}


def _size(value: str) -> dict[str, Any]:
    # RFC 1870 §4: at most twenty digits
    if not (value.isascii() and value.isdigit() and len(value) <= 20):
        raise Refused(replies.BAD_SIZE)
    return {"size": int(value)}


def _body(value: str) -> dict[str, Any]:
    # RFC 6152 §2; BINARYMIME is announced wherever 8BITMIME is (RFC 3030 §3)
    if value.upper() not in _BODIES:
        raise Refused(replies.BAD_PARAMETER)
    return {"binary": bool(_BODIES[value.upper()])}


def _ret(value: str) -> dict[str, Any]:
    # RFC 3461 §4.3
    if value.upper() not in {"FULL", "HDRS"}:
        raise Refused(replies.BAD_PARAMETER)
    return {"ret": value.upper()}


def _envid(value: str) -> dict[str, Any]:
    # RFC 3461 §4.4
    if not value or len(value) > 100 or _XTEXT.fullmatch(value) is None:
        raise Refused(replies.BAD_PARAMETER)
    return {"envid": value}


def _auth(value: str) -> dict[str, Any]:
    # RFC 4954 §5: believed from nobody, so only its form counts
    if _XTEXT.fullmatch(value) is None or not value:
        raise Refused(replies.BAD_PARAMETER)
    return {}


def _priority(value: str) -> dict[str, Any]:
    # RFC 6710 §4.1
    if _PRIORITY.fullmatch(value) is None:
        raise Refused(replies.BAD_PARAMETER)
    return {"priority": int(value)}


def _by(value: str) -> dict[str, Any]:
    # RFC 2852 §4: by-time;by-mode[by-trace]
    match = _BY.fullmatch(value)
    if match is None:
        raise Refused(replies.BAD_PARAMETER)
    seconds, mode = int(match[1]), match[2].upper()
    if mode == "R" and seconds <= 0:
        raise Refused(replies.BAD_PARAMETER)
    when = timezone.now() + timedelta(seconds=seconds)
    return {"deliver_by": Deadline(when, returns=mode == "R", traces=bool(match[3]))}


def _hold_for(value: str) -> dict[str, Any]:
    # RFC 4865 §5
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise Refused(replies.BAD_PARAMETER)
    return _held_until(timezone.now() + timedelta(seconds=int(value)))


def _hold_until(value: str) -> dict[str, Any]:
    # RFC 4865 §5: a date-time of RFC 3339
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        raise Refused(replies.BAD_PARAMETER) from None
    if when.tzinfo is None or "T" not in value.upper():
        raise Refused(replies.BAD_PARAMETER)
    try:
        return _held_until(when.astimezone(UTC))
    except OverflowError:
        raise Refused(replies.BAD_PARAMETER) from None


def _held_until(when: datetime) -> dict[str, Any]:
    if when > longest_hold():
        raise Refused(replies.HELD_TOO_LONG)
    return {"not_before": when}


def longest_hold() -> datetime:
    """Return until when a message may be held at most."""
    days = settings.MAILHOST_LONGEST_HOLD_DAYS
    return timezone.now() + timedelta(days=days)


_MAIL: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    # name: the keyword that announces it, and what reads its value
    "SIZE": ("SIZE", _size),
    "BODY": ("8BITMIME", _body),
    "SMTPUTF8": ("SMTPUTF8", lambda value: _flag(value) | {"smtputf8": True}),
    "AUTH": ("AUTH", _auth),
    "RET": ("DSN", _ret),
    "ENVID": ("DSN", _envid),
    # RFC 8689 §2
    "REQUIRETLS": ("REQUIRETLS", lambda value: _flag(value) | {"require_tls": True}),
    "MT-PRIORITY": ("MT-PRIORITY", _priority),
    "BY": ("DELIVERBY", _by),
    "HOLDFOR": ("FUTURERELEASE", _hold_for),
    "HOLDUNTIL": ("FUTURERELEASE", _hold_until),
}
