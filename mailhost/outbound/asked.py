"""What a sender asked for beside recipients and reports, as rows keep it."""

from datetime import datetime
from typing import Any

from mailhost.outbound.values import Deadline, Envelope


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
