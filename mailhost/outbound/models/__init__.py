"""The rows of outgoing mail."""

from mailhost.outbound.models.keys import DkimKey, SrsKey
from mailhost.outbound.models.queue import (
    Attempt,
    Delay,
    QueueChunk,
    QueueMessage,
    QueueRecipient,
    State,
)
from mailhost.outbound.models.reports import (
    DmarcRecord,
    ReceivedReport,
    ReportRun,
    TlsOutcome,
)
from mailhost.outbound.models.sent import SentTo
from mailhost.outbound.models.ways import (
    RelayDomain,
    SmartRoute,
    StsPolicy,
    Suppression,
)

__all__ = [
    "Attempt",
    "Delay",
    "DkimKey",
    "DmarcRecord",
    "QueueChunk",
    "QueueMessage",
    "QueueRecipient",
    "ReceivedReport",
    "RelayDomain",
    "ReportRun",
    "SentTo",
    "SmartRoute",
    "SrsKey",
    "State",
    "StsPolicy",
    "Suppression",
    "TlsOutcome",
]
