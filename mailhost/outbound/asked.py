"""What a sender asked for beside recipients and reports, as rows keep it."""

from datetime import datetime, timedelta
from typing import Any, Protocol

from mailhost.outbound.values import Deadline, Envelope


class Offered(Protocol):
    """Whether a server says that it knows an extension."""

    def __call__(self, extension: str, /) -> bool: ...


AHEAD = timedelta(minutes=10)  # of what came later, for each step of priority
BEHIND = timedelta(seconds=1)


def kept(envelope: Envelope) -> dict[str, Any]:
    """Return what of an envelope goes into QueueMessage.asked."""
    found: dict[str, Any] = {}
    if envelope.tls:
        found["tls"] = envelope.tls
    if envelope.priority:
        found["priority"] = envelope.priority
    if (by := envelope.deliver_by) is not None:
        found["by"] = [by.when.isoformat(), by.returns, by.traces]
    return found


def read(row: dict[str, Any]) -> dict[str, Any]:
    """Return the members of Envelope that `kept` made the row of."""
    found: dict[str, Any] = {k: row[k] for k in ("tls", "priority") if k in row}
    if "by" in row:
        when, returns, traces = row["by"]
        found["deliver_by"] = Deadline(datetime.fromisoformat(when), returns, traces)
    return found


def expiry(envelope: Envelope, latest: datetime) -> datetime:
    """Return when to give up: at its deadline a message goes back. RFC 2852 §4.1."""
    by = envelope.deliver_by
    return min(by.when, latest) if by is not None and by.returns else latest


def first_turn(envelope: Envelope, now: datetime) -> datetime:
    """Return when a message is due first: the queue goes by that, oldest first.

    A higher priority counts as due ten minutes ago for each step: it overtakes what
    waits, but nothing waits for ever. A lower one lets others pass for as many seconds.
    Later attempts have the order of their times. RFC 6710.
    """
    steps = envelope.priority
    return now - steps * AHEAD if steps > 0 else now - steps * BEHIND


def options(envelope: Envelope, now: datetime, offered: Offered) -> list[str]:
    """Return what goes on to a server that knows it. RFC 6710, RFC 2852."""
    found = []
    if envelope.priority and offered("mt-priority"):
        found.append(f"MT-PRIORITY={envelope.priority}")
    if (by := envelope.deliver_by) is not None and offered("deliverby"):
        left = int((by.when - now).total_seconds())
        if left > 0 or not by.returns:
            mode = ("R" if by.returns else "N") + "T" * by.traces
            found.append(f"BY={left};{mode}")
    return found
