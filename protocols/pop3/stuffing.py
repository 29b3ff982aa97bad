"""A message as a multi-line response: dots, the end, and TOP's cut. Sans-IO."""

from dataclasses import dataclass


@dataclass(slots=True)
class Dots:
    """Byte-stuffs what it is fed, in pieces of any size. RFC 1939 §3.

    Only CRLF ends a line: a dot behind a bare LF is left as it is.
    """

    _last: bytes = b"\r\n"  # the two octets before the next piece

    def feed(self, octets: bytes) -> bytes:
        """Return the octets with a dot more where a line starts with one."""
        # Where no line starts with a dot, replace() makes no copy.
        stuffed = octets.replace(b"\r\n.", b"\r\n..")
        seam = self._last + octets[:2]
        self._last = (self._last + octets[-2:])[-2:]
        if seam.startswith(b"\r\n."):
            return b"." + stuffed
        if seam.startswith(b"\r\n.", 1):
            return b"\n.." + stuffed[2:]
        return stuffed

    def end(self) -> bytes:
        """Return what ends the response; a line that was not ended, first."""
        return b".\r\n" if self._last == b"\r\n" else b"\r\n.\r\n"


@dataclass(slots=True)
class Top:
    """Lets the header, the empty line and `lines` of the body through. RFC 1939 §7."""

    lines: int
    _in_header: bool = True
    _line: bytes = b""  # the first two octets of the line so far
    done: bool = False

    def feed(self, octets: bytes) -> bytes:
        """Return the part of octets that belongs to the answer."""
        start = 0
        while not self.done:
            end = octets.find(b"\n", start)
            if end < 0:
                self._line = (self._line + octets[start : start + 2])[:2]
                return octets
            empty = (self._line + octets[start:end][:2])[:2] in {b"", b"\r"}
            self._line = b""
            start = end + 1
            self._count(empty=empty)
        return octets[:start]

    def _count(self, *, empty: bool) -> None:
        if self._in_header:
            self._in_header = not empty
        else:
            self.lines -= 1
        self.done = not self._in_header and self.lines <= 0
