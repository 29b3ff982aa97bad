"""The shape of a command."""

from collections.abc import Generator
from typing import Any, Protocol

from protocols.imap.effects import Effect
from protocols.imap.session import Session

# Yields octets and effects; returns the response code of the tagged OK, or "".
Run = Generator[bytes | Effect, Any, str]


class Command(Protocol):
    """A parsed command: its fields are the arguments, `run` does the work."""

    def run(self, session: Session, /) -> Run:
        """Yield the untagged responses and effects; the connection adds the end."""
