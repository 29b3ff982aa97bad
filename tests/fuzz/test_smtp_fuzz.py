"""Whatever octets come: an answer for each line, nothing smuggled, nothing raised."""

import asyncio
import logging
import re
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from mailhost.delivery import Route
from mailhost.outbound.completion import authors, complete
from mailhost.outbound.dsn import Report, report
from mailhost.outbound.values import Fate
from protocols.common.context import ConnectionContext, Limits
from protocols.common.wheel import TimerWheel
from protocols.smtp import data, replies, xclient
from protocols.smtp import spool as spool_module
from protocols.smtp.connection import commands
from protocols.smtp.data import Body, has_bare_line_ends, normalised
from protocols.smtp.parameters import mail_options, rcpt_options
from protocols.smtp.paths import Refused, parse
from protocols.smtp.spool import Spool, memory
from protocols.smtp.submission import Submission
from protocols.smtp.transaction import MailConnection

PIECES = st.lists(
    st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"..", b"a", b"\r\n.\r\n", b"\0"])
    | st.binary(max_size=5),
    max_size=40,
).map(b"".join)


def cuts(octets: bytes, sizes: list[int]) -> list[bytes]:
    """Cut octets into pieces of these sizes, then the rest."""
    pieces = []
    for size in sizes:
        pieces.append(octets[:size])
        octets = octets[size:]
    return [*pieces, octets]


def plainly(wire: bytes) -> tuple[bytes, bytes] | None:
    """Read a message the slow way: RFC 5321 §4.5.2 line by line."""
    lines: list[bytes] = []
    rest = wire
    while b"\r\n" in rest:
        line, _, rest = rest.partition(b"\r\n")
        if line == b".":
            return b"".join(lines), rest
        lines.append(line.removeprefix(b".") + b"\r\n")
    return None


def whole(spool: Spool) -> bytes:
    async def read() -> bytes:
        async with spool.whole() as octets:
            return octets

    return asyncio.run(read())


def taken(wire: bytes, sizes: list[int]) -> tuple[bytes, bytes] | None:
    """Read a message as the server does, in pieces of these sizes."""
    spool = Spool(10_000)
    body, got, rest = Body(spool), None, b""
    for piece in cuts(wire, sizes):
        if got is not None:
            rest += piece
        elif (after := body.feed(piece)) is not None:
            got, rest = whole(spool), after
    spool.close()
    return None if got is None else (got, rest)


@given(PIECES, st.lists(st.integers(0, 9), max_size=20))
def test_a_body_ends_where_it_should(wire: bytes, sizes: list[int]) -> None:
    assert taken(wire, sizes) == plainly(wire)


@given(PIECES, st.lists(st.integers(0, 9), max_size=20), st.integers(0, 30))
def test_a_limit_hides_no_end(wire: bytes, sizes: list[int], limit: int) -> None:
    spool = Spool(limit)
    body, ended = Body(spool), False
    for piece in cuts(wire, sizes):
        ended = ended or body.feed(piece) is not None
        assert len(spool._buffer) <= limit
    plain = plainly(wire)
    assert ended == (plain is not None)
    if plain is not None:
        assert spool.is_too_big == (len(plain[0]) > limit)
        assert whole(spool) == (b"" if spool.is_too_big else plain[0])
    spool.close()


@given(PIECES, st.lists(st.integers(0, 9), max_size=20), st.integers(1, 9))
def test_long_lines_and_files_change_nothing(
    wire: bytes, sizes: list[int], chunk: int
) -> None:
    """As the first, where every few octets go to the file and every line is long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool_module, "CHUNK", chunk)
        patch.setattr(data, "LONGEST", chunk + len(data.END))
        assert taken(wire, sizes) == plainly(wire)
    assert memory.arriving == 0


@given(PIECES)
def test_line_ends_are_mended(octets: bytes) -> None:
    mended = normalised(octets)
    assert not has_bare_line_ends(mended)
    assert mended.replace(b"\r\n", b"") == octets.replace(b"\r", b"").replace(
        b"\n", b""
    )


OFFERED = {
    *("SIZE", "8BITMIME", "SMTPUTF8", "AUTH", "DSN", "REQUIRETLS"),
    *("MT-PRIORITY", "DELIVERBY", "FUTURERELEASE"),
}
LINES = st.text(max_size=80) | st.lists(
    st.sampled_from(
        [
            *(
                "MAIL",
                "FROM:",
                "RCPT",
                "TO:",
                "<",
                ">",
                "@",
                "a",
                "b.c",
                '"',
                "\\",
                " ",
            ),
            *("SIZE=", "1", "SMTPUTF8", "BODY=8BITMIME", "NOTIFY=", "NEVER", "ORCPT="),
            *(
                "RET=FULL",
                "ENVID=",
                "rfc822;x",
                "+2B",
                *("REQUIRETLS", "MT-PRIORITY=-9", "BY=1;R", "HOLDFOR=", "HOLDUNTIL="),
                *("\\x{E4}", "utf-8;", "BODY=BINARYMIME", "2027-01-01T00:00:00Z"),
                "ä",
                "[1.2.3.4]",
                ":",
                ",",
                "\t",
            ),
        ]
    ),
    max_size=15,
).map("".join)


def read(argument: str, keyword: str) -> str:
    """Return the address, or the reply that refuses it."""
    try:
        path = parse(argument, keyword)
        mail_options(path, max_bytes=1000, offered=OFFERED)
        rcpt_options(path, smtputf8=True, offered=OFFERED)
    except Refused as refused:
        return str(refused)
    return path.address


@given(LINES)
def test_paths_are_read_or_refused(line: str) -> None:
    for keyword in ("FROM", "TO"):
        for argument in (line, f"{keyword}:{line}", f"{keyword}:<a@b> {line}"):
            got = read(argument, keyword)
            assert not set(got.replace(":<address>", "")) & set("\r\n<>\0")


@given(
    LINES
    | st.sampled_from(xclient.NAMES)
    .map("{}=".format)
    .flatmap(lambda name: LINES.map(name.__add__))
)
def test_what_a_proxy_says_is_read_or_refused(argument: str) -> None:
    try:
        found = xclient.parse(argument)
    except Refused:
        return
    assert set(found) <= set(xclient.NAMES)
    assert all(value.isprintable() for value in found.values())


@given(
    st.lists(st.binary(max_size=30), min_size=1, max_size=6),
    st.lists(st.integers(0, 40), max_size=20),
)
def test_chunks_are_kept_to_the_octet(chunks: list[bytes], sizes: list[int]) -> None:
    """Whatever they hold, nothing of them is a command."""
    said = b"EHLO x\r\nMAIL FROM:<a@b> BODY=BINARYMIME\r\nRCPT TO:<a@b>\r\n"
    for n, chunk in enumerate(chunks, start=1):
        last = b" LAST" * (n == len(chunks))
        said += b"BDAT %d%b\r\n%b" % (len(chunk), last, chunk)
    Taking.took.clear()
    answered = asyncio.run(talk(Taking, said + b"QUIT\r\n", sizes))
    assert Taking.took == [b"".join(chunks)]
    codes = [line[:3] for line in answered.split(b"\r\n") if line[3:4] == b" "]
    assert codes == [b"220", b"250", b"250", b"250", *[b"250"] * len(chunks), b"221"]
    assert memory.arriving == 0


@given(st.binary(max_size=300) | PIECES)
def test_any_message_is_completed(octets: bytes) -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 11, 23, tzinfo=UTC)
    once = complete(octets, host="h.test", now=now)
    assert complete(once, host="h.test", now=now) == once
    assert b"\nbcc:" not in once[: once.find(b"\r\n\r\n")].lower()
    authors(octets)


@given(st.text(max_size=40), st.text(max_size=200), st.binary(max_size=200))
def test_a_report_has_no_foreign_lines(
    address: str, reply: str, original: bytes
) -> None:
    from datetime import UTC, datetime

    address = "".join(address.split())
    about = Report(
        to="a@b.test",
        host="h.test",
        fates=[Fate(address, "failed", "5.0.0", reply)],
        original=original,
        arrived_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    kind = b"message/global-delivery-status"
    if not about.is_global:
        kind = b"message/delivery-status"
    made = report(about).octets
    status = made.split(kind)[1].split(b"\r\n\r\n", 2)[2]
    known = (b"Final-Recipient:", b"Action:", b"Status:", b"Diagnostic-Code:")
    for line in status.split(b"\r\n--")[0].split(b"\r\n"):
        assert not line or line.startswith(known)


class Taking(MailConnection):
    """Takes everything, stores nothing."""

    took: ClassVar[list[bytes]] = []

    @override
    async def check_recipient(self, address: str) -> Route:
        return Route(address, is_local=True, accounts=(1,))

    @override
    async def take(self, octets: bytes, received: bytes) -> list[str]:
        self.took.append(octets)
        return [replies.ACCEPTED]


class TakingEach(Taking):
    """Answers for each recipient."""

    is_lmtp = True


VERBS = st.sampled_from(
    [
        *(b"EHLO x", b"HELO x", b"MAIL FROM:<a@b>", b"MAIL FROM:<>", b"RCPT TO:<a@b>"),
        *(b"DATA", b".", b"RSET", b"NOOP", b"VRFY a", b"HELP", b"EXPN a", b"LHLO x"),
        *(b"AUTH PLAIN", b"AUTH LOGIN", b"*", b"QUIT", b"FROB", b"", b"BDAT 5 LAST"),
        *(b"BDAT 3\r\nabc", b"BDAT 0 LAST", b"BDAT 9999999", b"BDAT x", b"BDAT -1"),
        *(b"MAIL FROM:<a@b> BODY=BINARYMIME", b"MAIL FROM:<a@b> HOLDFOR=9", b"ETRN b"),
        *(b"XCLIENT ADDR=192.0.2.9 NAME=[UNAVAILABLE]", b"XCLIENT ADDR=x", b"XCLIENT"),
    ]
)
TALK = st.lists(VERBS | st.binary(max_size=30), max_size=25).map(b"\r\n".join)


class Wire(asyncio.Transport):
    """What was written, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    @override
    def write(self, data: Any) -> None:
        self.written += data

    @override
    def close(self) -> None:
        self.closed = True

    @override
    def is_closing(self) -> bool:
        return self.closed

    @override
    def pause_reading(self) -> None:
        """Nothing is read here."""

    @override
    def resume_reading(self) -> None:
        """Nothing is read here."""


async def talk(kind: type[MailConnection], octets: bytes, sizes: list[int]) -> bytes:
    """Feed the octets in pieces; return all that was answered."""
    connection = kind(
        ConnectionContext(
            *("fuzz", "smtp", "192.0.2.1", 1, 25, True, None, True, "mail.test"),
            Limits(60, 60, 5, 1_000_000),
            TimerWheel(),
            trusted_proxy=True,
        )
    )
    wire = Wire()
    connection.connection_made(wire)
    for piece in cuts(octets, sizes):
        await asyncio.sleep(0)
        if not wire.closed:
            connection.data_received(piece)
    if not wire.closed:
        connection.eof_received()
    assert connection._handler_coroutine is not None
    await asyncio.wait_for(connection._handler_coroutine, 10)
    connection.connection_lost(None)
    assert wire.closed
    return bytes(wire.written)


@pytest.mark.parametrize("kind", [Taking, TakingEach, Submission])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TALK, st.lists(st.integers(0, 20), max_size=20))
@example(b"BDAT 0 LAST\r\nBDAT 9999999\r\nEHLO x", [13])
def test_any_talk_is_answered(
    kind: type[MailConnection],
    caplog: pytest.LogCaptureFixture,
    octets: bytes,
    sizes: list[int],
) -> None:
    caplog.clear()
    with caplog.at_level(logging.ERROR):
        whole = timeless(asyncio.run(talk(kind, octets, [])))
        pieces = timeless(asyncio.run(talk(kind, octets, sizes)))
    assert not caplog.records
    assert memory.arriving == 0
    assert whole == pieces
    lines = whole.split(b"\r\n")
    assert lines.pop() == b""
    for line in lines:
        assert line[:3].isdigit()
        assert line[3:4] in {b" ", b"-"}


def timeless(answered: bytes) -> bytes:
    """FUTURERELEASE says a time, which may be the next second's."""
    return re.sub(rb"(FUTURERELEASE \d+) \S+", rb"\1", answered)


HELLO = b"EHLO x\r\n"
MAIL = HELLO + b"MAIL FROM:<a@b>\r\n"
RCPT = MAIL + b"RCPT TO:<a@b>\r\n"
STATES = {
    "greeted": b"",
    "hello": HELLO,
    "mail": MAIL,
    "binary mail": HELLO + b"MAIL FROM:<a@b> BODY=BINARYMIME\r\nRCPT TO:<a@b>\r\n",
    "recipient": RCPT,
    "chunk": RCPT + b"BDAT 3\r\nabc",
    "failed chunk": RCPT + b"BDAT 1000001\r\n" + b"x" * 1_000_001,
    "after": RCPT + b"BDAT 3 LAST\r\nabc",
    "after data": RCPT + b"DATA\r\n.\r\n",
}
ARGUMENTS = (
    *(b"", b" ", b" x", b" \xff", b" \0", b" " + b"y" * 990, b" FROM:<a@b>"),
    *(b" TO:<a@b>", b" FROM:<>", b" TO:<>", b" 3\r\nabc", b" 3 LAST\r\nabc"),
    *(b" 0 LAST", b" ADDR=192.0.2.1", b" PLAIN AA==", b" FROM:<a@b> SIZE=2000000"),
)
# Those that end the talk, or take the next line for something else.
TURNING = {"QUIT", "STARTTLS", "DATA", "AUTH", "BDAT"}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", [Taking, TakingEach, Submission])
def test_every_command_in_every_state(
    kind: type[MailConnection], state: str, caplog: pytest.LogCaptureFixture
) -> None:
    for verb in (*commands(kind), "FROB"):
        for argument in ARGUMENTS:
            said = STATES[state] + verb.encode() + argument + b"\r\nNOOP\r\nQUIT\r\n"
            with caplog.at_level(logging.ERROR):
                answered = asyncio.run(talk(kind, said, []))
            assert not caplog.records, said[-80:]
            assert memory.arriving == 0
            lines = answered.split(b"\r\n")
            assert lines.pop() == b""
            assert all(re.match(rb"[2345]\d\d[ -]", line) for line in lines), said[-80:]
            if verb not in TURNING:
                assert lines[-2:] == [b"250 2.0.0 OK", b"221 2.0.0 Goodbye"], said[-80:]
