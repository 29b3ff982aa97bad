"""Cut the incoming octets into lines. Sans-IO."""

from dataclasses import dataclass, field

from protocols.pop3.errors import Fatal


@dataclass(slots=True)
class Framer:
    """Collects octets until a line is whole; each octet is looked at once."""

    max_line: int  # octets, CRLF included; RFC 2449 §4 wants 255
    _unread: bytearray = field(default_factory=bytearray)
    _searched: int = 0  # octets of _unread known to hold no LF

    @property
    def waiting(self) -> int:
        """Octets that arrived and were not taken."""
        return len(self._unread)

    def feed(self, octets: bytes) -> None:
        """Take what arrived."""
        self._unread += octets

    def next_line(self) -> bytes | None:
        """Return the next line without its end, None when none is whole.

        A bare LF ends a line, too: people type. Raises Fatal over the limit.
        """
        end = self._unread.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._unread)
        if (self._searched if end < 0 else end + 1) > self.max_line:
            raise Fatal("Line too long")
        if end < 0:
            return None
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        self._searched = 0
        return line.removesuffix(b"\r")

    def forget(self) -> None:
        """Drop everything: RFC 2595 §4, what was said before TLS is void."""
        self._unread.clear()
        self._searched = 0
