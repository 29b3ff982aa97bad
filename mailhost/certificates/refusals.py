"""Why there is no certificate, in words for the administrator."""

from datetime import timedelta

FIRST_PAUSE = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(hours=12)


class Refused(Exception):
    """The authority, or the way to it, says no."""

    def __init__(self, text: str, pause: timedelta | None = None) -> None:
        """Keep the words; pause: not before, whatever our own patience."""
        super().__init__(text)
        self.pause = pause


def pause_after(failures: int, asked: timedelta | None) -> timedelta:
    """Return how long to wait after so many failures in a row.

    Slow enough for authorities that allow five failed validations an hour.
    """
    times: int = 3 ** min(max(failures, 1) - 1, 8)
    own = min(FIRST_PAUSE * times, LONGEST_PAUSE)
    return max(own, asked or own)
