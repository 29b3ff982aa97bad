"""XCLIENT: a trusted proxy says who the client is.

postfix.org/XCLIENT_README.html:

    xclient-command = "XCLIENT" 1*(SP attribute-name "=" attribute-value)

LOGIN is not among the names: a proxy's word logs nobody in.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import replace

from django.conf import settings

from protocols.common.context import ConnectionContext, is_loopback
from protocols.smtp import replies
from protocols.smtp.paths import Refused

NAMES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "DESTADDR", "DESTPORT")
UNKNOWN = {"[UNAVAILABLE]", "[TEMPUNAVAIL]"}
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-Fa-f]{2})+")
_ESCAPED = re.compile(r"\+([0-9A-Fa-f]{2})")


def parse(argument: str) -> dict[str, str]:
    """Return the attributes; an unknown value is empty. Raises Refused."""
    found: dict[str, str] = {}
    for word in argument.split(" "):
        name, _, value = word.partition("=")
        name = name.upper()
        if name not in NAMES or name in found or _XTEXT.fullmatch(value) is None:
            raise Refused(replies.BAD_XCLIENT)
        text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)
        found[name] = "" if text.upper() in UNKNOWN else text
        _check(name, found[name])
    return found


def _check(name: str, value: str) -> None:
    good = value.isprintable()
    if value and name in {"ADDR", "DESTADDR"}:
        good = bool(_address(value))
    elif value and name in {"PORT", "DESTPORT"}:
        good = value.isascii() and value.isdigit() and int(value) < 65_536
    elif value and name == "PROTO":
        good = value.upper() in {"SMTP", "ESMTP"}
    if not good or len(value) > 255:
        raise Refused(replies.BAD_XCLIENT)


def _address(value: str) -> str:
    text = value[5:] if value.upper().startswith("IPV6:") else value
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return ""
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def applied(context: ConnectionContext, said: Mapping[str, str]) -> ConnectionContext:
    """Return the context of the client that was told of.

    What is not said stays; a client without an address is not this machine.
    """
    if "ADDR" not in said:
        return context
    peer = _address(said["ADDR"]) or "0.0.0.0"  # noqa: S104 - nobody's address
    plain = settings.MAILHOST_ALLOW_PLAINTEXT_LOGIN or is_loopback(peer)
    port = int(said.get("PORT") or 0)
    return replace(context, peer=peer, peer_port=port, allow_plaintext_login=plain)
