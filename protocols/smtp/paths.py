"""The arguments of MAIL and RCPT. RFC 5321 §4.1.2, RFC 6531 §3.3.

Reverse-path / Forward-path = "<" [ A-d-l ":" ] Mailbox ">" [ SP parameters ]
"""

import re
from dataclasses import dataclass

from protocols.smtp import replies

MAX_PATH = 512  # octets; RFC 5321 §4.5.3.1.3 says 256, UTF-8 names are longer
MAX_LOCAL_PART = 128  # octets; the RFC's 64, doubled for UTF-8
MAX_DOMAIN = 255  # octets

# UTF-8 that could not be decoded is in the surrogates, which are left out.
_WIDE = "\u0080-\ud7ff\ue000-\U0010ffff"
_ATOM = rf"[\w!#$%&'*+/=?^`{{|}}~.{_WIDE}-]+"
_QUOTED = rf'"(?:[ !#-\[\]-~{_WIDE}]|\\[ -~])*"'
_DOMAIN = rf"[A-Za-z0-9_.{_WIDE}-]+|\[[!-Z^-~]+\]"
_PATH = re.compile(
    rf"[ \t]*<(?:@[^:<>\s]*:)?(?:(?P<local>{_ATOM}|{_QUOTED})"
    rf"(?:@(?P<domain>{_DOMAIN}))?)?>(?:[ ]+(?P<parameters>\S.*))?[ ]*",
    re.ASCII,
)
# esmtp-param = esmtp-keyword ["=" esmtp-value]
_PARAMETER = re.compile(
    rf"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~{_WIDE}]+))?", re.ASCII
)


class Refused(Exception):
    """The command cannot be followed; the text is the whole reply."""


@dataclass(frozen=True)
class Path:
    """An address ("" is the null path) and its parameters, keywords in upper case."""

    address: str
    parameters: dict[str, str]

    @property
    def is_ascii(self) -> bool:
        """Whether it can be said without SMTPUTF8."""
        return self.address.isascii()


def parse(argument: str | None, keyword: str) -> Path:
    """Read "FROM:<…> …" or "TO:<…> …"; raises Refused with the reply."""
    start = len(keyword) + 1
    if argument is None or argument[:start].upper() != f"{keyword}:":
        raise Refused(f"501 5.5.4 Syntax: {keyword}:<address>")
    match = _PATH.fullmatch(argument, start)
    if match is None:
        raise Refused(replies.BAD_ADDRESS)
    local, domain = match["local"], match["domain"]
    _check_lengths(local or "", domain or "")
    address = f"{local}@{domain}" if domain else local or ""
    return Path(address, _parameters(match["parameters"] or ""))


def _check_lengths(local: str, domain: str) -> None:
    if len(local.encode()) > MAX_LOCAL_PART or len(domain.encode()) > MAX_DOMAIN:
        raise Refused(replies.BAD_ADDRESS)


def _parameters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in text.split():
        match = _PARAMETER.fullmatch(word)
        if match is None or match[1].upper() in found:
            raise Refused(replies.BAD_PARAMETER)
        found[match[1].upper()] = match[2] or ""
    return found
