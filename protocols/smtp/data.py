"""The octets after DATA: where they end, without the dots that were added.

Only CRLF.CRLF ends a message (RFC 5321 §4.1.1.4). A bare CR or LF never does: servers
that read one as a line end take a second, smuggled message out of the first.
"""

END = b"\r\n.\r\n"


class Body:
    """Collects a message in whatever pieces it comes; drops what is over the limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit  # octets
        # The line end of the DATA command itself: a first line may be the dot.
        self._octets = bytearray(b"\r\n")
        self.too_big = False

    def feed(self, octets: bytes) -> bytes | None:
        """Take octets; return those that follow the end, None before it came."""
        start = max(0, len(self._octets) - len(END) + 1)
        self._octets += octets
        end = self._octets.find(END, start)
        if end < 0:
            self._shed()
            return None
        rest = bytes(self._octets[end + len(END) :])
        # The CRLF before the dot is the end of the message's own last line.
        del self._octets[end + 2 :]
        self.too_big = self.too_big or len(self._octets) > self._limit + 2
        return rest

    def message(self) -> bytes:
        """Return the message; empty if it was too big. RFC 5321 §4.5.2."""
        if self.too_big:
            return b""
        # One copy; every line that begins with a dot had one added.
        if self._octets.find(b"\r\n.") >= 0:
            return bytes(self._octets.replace(b"\r\n.", b"\r\n"))[2:]
        return bytes(memoryview(self._octets)[2:])

    def _shed(self) -> None:
        # The last line may still become the end, hence the tail.
        if len(self._octets) > self._limit + len(END):
            self.too_big = True
            del self._octets[: -len(END)]


def has_bare_line_ends(octets: bytes) -> bool:
    """Tell whether a CR or LF stands alone. RFC 5321 §2.3.8 forbids both."""
    pairs = octets.count(b"\r\n")
    return octets.count(b"\n") != pairs or octets.count(b"\r") != pairs


def normalised(octets: bytes) -> bytes:
    """Return the octets with each bare CR or LF made a CRLF."""
    if not has_bare_line_ends(octets):
        return octets
    octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return octets.replace(b"\n", b"\r\n")
