"""One node of a message's tree."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# 1, 1.2.3, or 2.TEXT: a multipart at the top of an embedded message.
_SECTION = re.compile(r"((?:[1-9][0-9]{0,5}(?:\.(?=[1-9]))?+)++)(\.TEXT)?+\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """A part by its byte ranges in the message; its text is decoded."""

    section: str  # IMAP section; "" for the top, "2.TEXT" for an embedded multipart
    type: str  # lower case: text, multipart, message ...
    subtype: str  # lower case
    parameters: tuple[tuple[str, str], ...]  # names lower case; RFC 2231 decoded
    disposition: str  # lower case; "" if none
    disposition_parameters: tuple[tuple[str, str], ...]
    content_id: str  # without <>; "" if none
    encoding: str  # lower case Content-Transfer-Encoding; "7bit" if none
    filename: str  # of the disposition, else the type's name; "" if none
    header: tuple[int, int]  # [start, end) of the header with its blank line
    body: tuple[int, int]  # [start, end) of the body, still encoded
    lines: int  # line ends in the body
    children: tuple["Part", ...]  # of a multipart; of message/rfc822 the one root

    def walk(self) -> "Iterator[Part]":
        """Yield this part and all below it, in the order of the message."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))

    def find(self, section: str) -> "Part | None":
        """Return the part of this IMAP section, called on the top; None if none is.

        A message that is no multipart has one part, 1: its own body. Numbers go
        through message/rfc822 into the parts of what it embeds. RFC 9051 §6.4.5.1.
        """
        if not section:
            return self
        match = _SECTION.match(section)
        if match is None:
            return None
        part: Part | None = self
        message = True  # whether `part` is the top of a message, own or embedded
        for number in match[1].split("."):
            assert part is not None
            if not message and part.is_message and part.children:
                part, message = part.children[0], True
            part = part.child(int(number), message=message)
            if part is None:
                return None
            message = False
        return part if not match[2] or part is None else part.embedded_multipart()

    @property
    def is_message(self) -> bool:
        """Whether this embeds a message: message/rfc822 or message/global."""
        return self.type == "message" and self.subtype in {"rfc822", "global"}

    def child(self, number: int, *, message: bool) -> "Part | None":
        """Return part `number` of this one, which is the top of a message or not."""
        if self.type == "multipart":
            children = self.children
            return children[number - 1] if number <= len(children) else None
        return self if message and number == 1 else None

    def embedded_multipart(self) -> "Part | None":
        """Return the multipart at the top of the message this embeds, if it is one."""
        if self.is_message and self.children and self.children[0].type == "multipart":
            return self.children[0]
        return None
