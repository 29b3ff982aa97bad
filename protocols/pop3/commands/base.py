"""The shape of a command, and how arguments are read."""

import re
from typing import Protocol

from protocols.common.wording import say
from protocols.pop3.actions import Action
from protocols.pop3.errors import Refused
from protocols.pop3.session import Session

# A number of any message we could hold has fewer digits.
NUMBER = re.compile(rb"[0-9]{1,10}\Z")


class Command(Protocol):
    """A parsed command: its fields are the arguments, `run` says what to do."""

    def run(self, session: Session, /) -> Action: ...


def no_arguments(octets: bytes) -> None:
    """Refuse any argument."""
    if octets.strip():
        raise Refused("No argument is allowed here")


def numbers(octets: bytes, least: int, most: int) -> list[int]:
    """Read between least and most decimal numbers, spaces between."""
    words = octets.split()
    if not least <= len(words) <= most or not all(map(NUMBER.match, words)):
        if least == most == 1:
            raise Refused("Wants 1 number")
        if least == most:
            raise Refused(say("Wants {} numbers", most))
        raise Refused(say("Wants {} to {} numbers", least, most))
    return [int(word) for word in words]


def text(octets: bytes) -> str:
    """Read a name or a password: UTF-8, no control characters, not empty."""
    try:
        found = octets.decode()
    except UnicodeDecodeError:
        raise Refused("The argument is not UTF-8") from None
    if not found or any(ord(c) < 32 or ord(c) == 127 for c in found):
        raise Refused("An argument is missing or has control characters")
    return found
