"""What the parameters of MAIL and RCPT ask for.

SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954 §5), and of DSN
(RFC 3461 §4) RET, ENVID, NOTIFY, ORCPT.
"""

import re
from dataclasses import dataclass

from protocols.smtp import replies
from protocols.smtp.paths import Path, Refused

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_NOTIFY = {"SUCCESS", "FAILURE", "DELAY"}


@dataclass(frozen=True)
class MailOptions:
    """What the sender asked for with MAIL."""

    smtputf8: bool = False
    ret: str = ""  # FULL, HDRS or nothing said
    envid: str = ""  # as written, xtext


@dataclass(frozen=True)
class RcptOptions:
    """What the sender asked for with one RCPT."""

    notify: str = ""  # as written, upper case; empty: failures (RFC 3461 §4.1)
    orcpt: str = ""  # addr-type;xtext


def mail_options(path: Path, *, max_bytes: int, dsn: bool) -> MailOptions:
    """Read MAIL's parameters; raises Refused."""
    given = dict(path.parameters)
    _check_size(given.pop("SIZE", None), max_bytes)
    if given.pop("BODY", "7BIT").upper() not in {"7BIT", "8BITMIME"}:
        raise Refused(replies.BAD_PARAMETER)
    smtputf8 = "SMTPUTF8" in given
    if given.pop("SMTPUTF8", ""):
        raise Refused(replies.BAD_PARAMETER)
    if not path.is_ascii and not smtputf8:
        raise Refused(replies.NEED_SMTPUTF8)  # RFC 6531 §3.5
    if not dsn:
        _nothing_left(given)
        return MailOptions(smtputf8)
    given.pop("AUTH", None)
    ret, envid = given.pop("RET", "").upper(), given.pop("ENVID", "")
    _nothing_left(given)
    if ret not in {"", "FULL", "HDRS"} or not _is_xtext(envid, 100):
        raise Refused(replies.BAD_PARAMETER)
    return MailOptions(smtputf8, ret, envid)


def rcpt_options(path: Path, *, smtputf8: bool, dsn: bool) -> RcptOptions:
    """Read RCPT's parameters; raises Refused."""
    given = dict(path.parameters)
    if not path.is_ascii and not smtputf8:
        raise Refused(replies.NEED_SMTPUTF8)
    if not dsn:
        _nothing_left(given)
        return RcptOptions()
    notify, orcpt = given.pop("NOTIFY", "").upper(), given.pop("ORCPT", "")
    _nothing_left(given)
    if notify and notify != "NEVER" and not set(notify.split(",")) <= _NOTIFY:
        raise Refused(replies.BAD_PARAMETER)
    kind, _, address = orcpt.partition(";")
    if orcpt and not (kind and address and _is_xtext(address, 500)):
        raise Refused(replies.BAD_PARAMETER)
    return RcptOptions(notify, orcpt)


def _check_size(said: str | None, max_bytes: int) -> None:
    # RFC 1870 §4: at most twenty digits
    if said is None:
        return
    if not (said.isascii() and said.isdigit() and len(said) <= 20):
        raise Refused(replies.BAD_SIZE)
    if int(said) > max_bytes:
        raise Refused(replies.TOO_BIG)


def _nothing_left(given: dict[str, str]) -> None:
    if given:
        raise Refused(replies.UNKNOWN_PARAMETER)


def _is_xtext(text: str, longest: int) -> bool:
    return len(text) <= longest and _XTEXT.fullmatch(text) is not None
