"""What was said on a connection, as text for the admin: bounded, without secrets."""

from collections.abc import Iterable

MOST_LINES = 200
MOST_CHARACTERS = 16_000  # of one attempt
LONGEST_LINE = 500


class Dialogue:
    """The lines of one attempt; the opening of the connection is kept for the next."""

    def __init__(self) -> None:
        self._opening: list[str] = []
        self._lines: list[str] = []

    def client(self, *words: bytes) -> None:
        """Note what we said."""
        self._add("C", b" ".join(words).decode("utf-8", "replace"))

    def server(self, code: int, text: str) -> None:
        """Note what they said."""
        for line in (text or "").split("\n"):
            self._add("S", f"{code} {line}".rstrip())

    def note(self, text: str) -> None:
        """Note what happened."""
        self._add("*", text)

    def opened(self) -> None:
        """Keep what was said until now as the opening."""
        self._opening = [*self._opening, *self._lines][:60]
        self._lines = []

    def again(self) -> None:
        """Begin another message on the same connection."""
        self._lines = []

    def text(self, before: Iterable[str] = ()) -> str:
        """Return all of it; `before` are lines of connections that failed."""
        lines = [*before, *self._opening, *self._lines]
        if len(lines) > MOST_LINES:
            half = MOST_LINES // 2
            lines = [*lines[:half], "* …", *lines[-half:]]
        return "\n".join(lines)[:MOST_CHARACTERS]

    def lines(self) -> list[str]:
        """Return what was said, line by line."""
        return [*self._opening, *self._lines]

    def _add(self, who: str, text: str) -> None:
        if len(self._lines) < MOST_LINES * 10:
            clean = text.strip()[:LONGEST_LINE]
            if not clean.isprintable():
                clean = "".join(c if c.isprintable() else "?" for c in clean)
            self._lines.append(f"{who}: {clean}")
