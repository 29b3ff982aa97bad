"""The jobs there are, by name."""

from dataclasses import dataclass
from datetime import timedelta

LEASE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a name stands for.

    `every`: it has one row, and runs again that long after each run. `once`: it has
    one row for this key, which stays when it is done. Neither: `later` makes rows.
    `alone`: of its rows one runs at a time, on all hosts, so that many slow ones leave
    the other threads to what cannot wait.
    """

    function: str  # dotted path
    every: timedelta | None = None
    once: str | None = None
    lease: timedelta = LEASE  # longer than a run takes
    alone: bool = False


class Failed(Exception):
    """What a job raises that knows when it is worth another try."""

    def __init__(self, text: str, pause: timedelta) -> None:
        """Keep the words, which the row shows, and how long to wait."""
        super().__init__(text)
        self.pause = pause


KINDS: dict[str, Kind] = {}


def register(
    name: str,
    function: str,
    *,
    every: timedelta | None = None,
    once: str | None = None,
    lease: timedelta = LEASE,
    alone: bool = False,
) -> None:
    """Say what runs under this name; when the apps are ready, in every process."""
    KINDS[name] = Kind(function, every, once, lease, alone)
