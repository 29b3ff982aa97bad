"""IMAP URLs of messages and their parts. RFC 5092, RFC 5550 §3.2 (neither text read).

    [/] mailbox [;UIDVALIDITY=n] /;UID=n [/;SECTION=section] [/;PARTIAL=first[.most]]

Names are UTF-8, percent-encoded. Without a mailbox the selected one is meant.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from protocols.imap.errors import Bad
from protocols.imap.fetching.grammar import section_spec
from protocols.imap.fetching.items import Body, Section
from protocols.imap.parser import MAX_UINT32, Parser

MESSAGE = re.compile(
    r"(?![A-Za-z][A-Za-z0-9+.-]*:)"  # a scheme would make it absolute
    r"(?:/?(?P<mailbox>[^;/][^;]*?)(?:;UIDVALIDITY=(?P<validity>[1-9]\d{0,9}))?/)?"
    r";UID=(?P<uid>[1-9]\d{0,9})"
    r"(?:/;SECTION=(?P<section>[^;]+?))?"
    r"(?:/;PARTIAL=(?P<first>\d{1,10})(?:\.(?P<most>[1-9]\d{0,9}))?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class MessageUrl:
    """A message or a part of it; `mailbox` None is the selected one."""

    mailbox: str | None
    uid_validity: int | None
    uid: int
    section: Section
    partial: tuple[int, int] | None

    @property
    def body(self) -> Body:
        """What FETCH BODY.PEEK[section]<partial> would ask for."""
        return Body(b"", self.section, self.partial)


def message_url(path: str) -> MessageUrl | None:
    """Read a relative URL; None if it is none of a message."""
    match = MESSAGE.fullmatch(path)
    if match is None:
        return None
    section = _section(match["section"])
    mailbox = None if match["mailbox"] is None else _text(match["mailbox"])
    if section is None or mailbox == "":
        return None
    validity = None if match["validity"] is None else int(match["validity"])
    partial = None
    if match["first"] is not None:
        partial = int(match["first"]), int(match["most"] or MAX_UINT32)
    if mailbox is not None and mailbox.upper() == "INBOX":
        mailbox = "INBOX"
    return MessageUrl(mailbox, validity, int(match["uid"]), section, partial)


def shown(url: str) -> str:
    """Write a URL into a response code, with what it cannot hold percent-encoded."""
    return quote(url, safe="!$%&'()*+,-./:;=?@_~") or '""'  # RFC 4469 §5


def _section(text: str | None) -> Section | None:
    if text is None:
        return Section()
    p = Parser(unquote_to_bytes(text) + b"]")
    try:
        section, _ = section_spec(p)
        p.literally(b"]")
    except Bad:
        return None
    return section if p.offset == len(p.octets) else None


def _text(encoded: str) -> str:
    """Undo percent encoding; "" for what is no UTF-8 or holds a control character."""
    try:
        text = unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""
