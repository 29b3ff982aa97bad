"""What goes over the wire to others, and what odd servers answer.

No form of line end in a message becomes an end of it, whoever reads, and no answer
counts for another command than its own.
"""

import asyncio
import re
from itertools import product
from typing import Any

import pytest

from mailhost.outbound.attempt import deliver
from mailhost.outbound.models import QueueRecipient
from mailhost.outbound.runner import run_once
from mailhost.outbound.values import Envelope, Outgoing, Recipient, Verdict
from protocols.smtp.data import normalised
from tests.unit.outbound.conftest import Remote
from tests.unit.outbound.test_runner import ALICE, put
from tests.unit.smtp.test_smuggling import BREAKS, SMUGGLED

pytestmark = pytest.mark.django_db(transaction=True)

ENVELOPE = Envelope(ALICE, (Recipient("a@far.example"),))
ENDS = sorted({a + dot + b for a, dot, b in product(BREAKS, (b".", b".."), BREAKS)})
# What servers have taken for the end of a message: CVE-2023-51764 and its kin.
LOOSE_END = re.compile(rb"(?:\A|\r\n|\r|\n)\.(?:\r\n|\r|\n)")


async def test_no_line_end_smuggles(remote: Remote, alice: Any) -> None:
    """Each form in one message, and all of it is read as one by the loosest reader."""
    parts = [b"Subject: %d\r\n\r\nx%b%b" % (n, e, SMUGGLED) for n, e in enumerate(ENDS)]
    octets = b"From: alice@example.test\r\n\r\n" + b"".join(parts) + b".\n.\r.\r\n."
    tried = await deliver("far.example", ENVELOPE, Outgoing.whole(octets))
    assert [result.verdict for result in tried.results] == [Verdict.SENT]
    [wire] = remote.messages
    assert LOOSE_END.search(wire) is None
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert b"\r" not in wire.replace(b"\r\n", b"")
    read = re.sub(rb"(?m)^\.", b"", wire)
    assert read.rstrip(b"\r\n") == normalised(octets).rstrip(b"\r\n")
    assert sum(line.startswith("MAIL") for line in remote.said) == 1


@pytest.mark.parametrize("end", ENDS[::7], ids=repr)
async def test_what_ends_oddly_ends_once(
    remote: Remote, alice: Any, end: bytes
) -> None:
    tried = await deliver(
        "far.example", ENVELOPE, Outgoing.whole(b"Subject: x\r\n\r\ny" + end)
    )
    assert [result.verdict for result in tried.results] == [Verdict.SENT]
    assert len(remote.messages) == 1
    assert LOOSE_END.search(remote.messages[0]) is None


async def test_a_server_with_bare_line_ends_is_understood(
    remote: Remote, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = asyncio.StreamWriter.write

    def write(self: asyncio.StreamWriter, data: bytes) -> None:
        real(self, data.replace(b"\r\n", b"\n"))

    monkeypatch.setattr(asyncio.StreamWriter, "write", write)
    await put("a@far.example")
    await run_once()
    assert (await QueueRecipient.objects.aget()).state == "sent"


@pytest.mark.parametrize(
    "replies",
    [
        {"DATA": "354 go\r\n250 2.0.0 early", ".": "550 5.7.1 no"},
        {"MAIL": "250 ok\r\n250 2.1.5 ok", "RCPT": "550 5.1.1 nobody"},
        {"EHLO": "250 hello\r\n250 2.1.0 ok\r\n250 2.1.5 ok", "RCPT": "550 5.1.1 no"},
        {"greeting": "220 hi\r\n250 ok\r\n250 ok\r\n250 ok", "RCPT": "550 5.1.1 no"},
    ],
    ids=["data", "mail", "ehlo", "greeting"],
)
async def test_an_answer_that_nobody_asked_counts_for_nothing(
    remote: Remote, alice: Any, replies: dict[str, str]
) -> None:
    remote.replies |= replies
    await put("a@far.example")
    await run_once()
    row = await QueueRecipient.objects.aget()
    assert row.state != "sent", row.last_reply
