"""One message over one open connection: MAIL, RCPT, DATA. RFC 5321 §3.3.

Where the server takes commands together (RFC 2920) it gets them together, DATA and all:
two round trips for a message instead of four.
"""

from datetime import UTC, datetime

from aiosmtplib import SMTPResponse
from aiosmtplib.errors import SMTPException, SMTPServerDisconnected

from mailhost.outbound import asked
from mailhost.outbound.session import REPLY_SECONDS, Session, said
from mailhost.outbound.values import Envelope, Outgoing, Recipient, Result, Verdict

_NEVER_IN_PATHS = frozenset("\r\n\0")


class Stale(Exception):
    """The connection had rested, and was gone when it was used again."""


def must_have_tls(envelope: Envelope) -> bool:
    """Tell whether it goes over verified TLS or not at all. RFC 8689 §4.2.1.

    A report does not: it would be lost (§5).
    """
    return envelope.tls == "required" and bool(envelope.mail_from)


class Transaction:
    """MAIL, RCPT, DATA on one connection."""

    def __init__(self, session: Session, envelope: Envelope) -> None:
        """Nothing is said yet."""
        self._session = session
        self._envelope = envelope
        self._client = session.client
        self._host = session.hop.host
        self._lines: list[bytes] = []  # to be asked
        self._asked = 0
        self._has_dsn = self._client.supports_extension("dsn")

    async def run(self, octets: Outgoing) -> list[Result]:
        """Return a result for each recipient.

        Raises Stale where nothing was said yet on a connection that had rested.
        """
        recipients = self._envelope.recipients
        if refusal := self._unfit():
            return [refusal] * len(recipients)
        rcpts = [self._rcpt(recipient) for recipient in recipients]
        self._lines = [self._mail(octets.size), *rcpts, b"DATA"]
        if self._session.must_reset:
            self._lines.insert(0, b"RSET")
        outcomes: list[Result | None] = [None] * len(recipients)
        try:
            await self._mail_said()
            await self._rcpts_said(outcomes)
            last = await self._data_said(octets, takes=None in outcomes)
        except _Refused as refused:
            rest = self._result(refused.reply)
        except (SMTPException, OSError) as error:
            self._session.wire.close()
            self._client.dialogue.note(said(error))
            rest = Result(Verdict.LATER, "4.4.2", said(error), self._host)
        else:
            rest = self._sent(last)
        return [outcome or rest for outcome in outcomes]

    async def _mail_said(self) -> None:
        if self._session.must_reset:
            await self._reply(stale=True)
            self._session.must_reset = False
        reply = await self._reply(stale=True)
        if reply.code == 250:
            return
        if self._session.pipelines:
            await self._rest_refused()
        else:
            self._session.must_reset = True
        raise _Refused(reply)

    async def _rest_refused(self) -> None:
        """Take the replies to what was sent along with a MAIL that was refused."""
        self._session.must_reset = True
        while self._asked < len(self._lines):
            if (await self._reply()).code == 354:
                self._session.wire.close()  # or it would take an empty message

    async def _rcpts_said(self, outcomes: list[Result | None]) -> None:
        """Put in the results of those that were refused."""
        for number in range(len(outcomes)):
            reply = await self._reply()
            if reply.code not in {250, 251}:
                outcomes[number] = self._result(reply)

    async def _data_said(self, octets: Outgoing, *, takes: bool) -> SMTPResponse:
        self._session.must_reset = True
        if not takes and not self._session.pipelines:
            return SMTPResponse(554, "No valid recipients")
        reply = await self._reply()
        if reply.code != 354:
            raise _Refused(reply)
        if not takes:  # RFC 2920 §3.1: nothing is what it gets
            octets = Outgoing.whole(b"")
        self._client.dialogue.note(f"{octets.size} octets")
        await self._session.wire.say(octets.pieces())
        reply = await self._replied(REPLY_SECONDS * 2)
        self._session.must_reset = False
        if takes and reply.code != 250:
            raise _Refused(reply)
        return reply

    async def _reply(self, *, stale: bool = False) -> SMTPResponse:
        """Return the reply to the next command, which may have been sent already."""
        wire, line = self._session.wire, self._lines[self._asked]
        if not self._session.pipelines:
            wire.ask([line])
        elif self._asked == 0:
            wire.ask(self._lines)
        self._asked += 1
        self._client.dialogue.client(line)
        try:
            return await self._replied(REPLY_SECONDS)
        except (SMTPServerDisconnected, _Refused) as error:
            if stale and self._session.messages > 1:
                raise Stale from error
            raise

    async def _replied(self, seconds: float) -> SMTPResponse:
        reply = await self._session.wire.reply(seconds)
        self._client.dialogue.server(reply.code, reply.message)
        if reply.code == 421:  # it goes. RFC 5321 §3.8
            self._session.wire.close()
            raise _Refused(reply)
        return reply

    def _unfit(self) -> Result | None:
        """Return the failure where this server can never take this message."""
        names = [r.address for r in self._envelope.recipients]
        names.append(self._envelope.mail_from)
        if not _NEVER_IN_PATHS.isdisjoint("".join(names)):
            return self._failed(
                "5.1.3", "An address has a character that none may have"
            )
        if must_have_tls(self._envelope) and not self._knows("requiretls"):
            return self._failed("5.7.30", "The server does not know REQUIRETLS")
        if self._needs_utf8() and not self._knows("smtputf8"):  # RFC 6531 §3.3
            text = "The server does not take internationalized addresses"
            return self._failed("5.6.7", text)
        return None

    def _failed(self, status: str, text: str) -> Result:
        return Result(Verdict.FAILED, status, text, self._host)

    def _mail(self, size: int) -> bytes:
        options = [f"SIZE={size}"] if self._knows("size") else []
        options += ["BODY=8BITMIME"] if self._knows("8bitmime") else []
        options += ["SMTPUTF8"] if self._needs_utf8() else []
        options += ["REQUIRETLS"] if must_have_tls(self._envelope) else []
        if self._has_dsn:
            envelope = self._envelope
            options += [f"RET={envelope.ret}"] if envelope.ret else []
            options += [f"ENVID={envelope.envid}"] if envelope.envid else []
        options += asked.options(self._envelope, datetime.now(UTC), self._knows)
        return _line(f"MAIL FROM:<{self._envelope.mail_from}>", options)

    def _rcpt(self, recipient: Recipient) -> bytes:
        options = []
        if self._has_dsn:
            options += [f"NOTIFY={recipient.notify}"] if recipient.notify else []
            options += [f"ORCPT={recipient.orcpt}"] if recipient.orcpt else []
        return _line(f"RCPT TO:<{recipient.address}>", options)

    def _knows(self, extension: str) -> bool:
        return self._client.supports_extension(extension)

    def _needs_utf8(self) -> bool:
        envelope = self._envelope
        names = [envelope.mail_from, *(r.address for r in envelope.recipients)]
        return envelope.smtputf8 or not all(name.isascii() for name in names)

    def _sent(self, reply: SMTPResponse) -> Result:
        said_ = f"{reply.code} {reply.message}"
        relayed = not self._has_dsn
        return Result(Verdict.SENT, "2.0.0", said_, self._host, relayed=relayed)

    def _result(self, reply: SMTPResponse) -> Result:
        status = _status(reply.code, reply.message)
        verdict = Verdict.FAILED if status[0] == "5" else Verdict.LATER
        return Result(verdict, status, f"{reply.code} {reply.message}", self._host)


class _Refused(Exception):
    """A reply that ends the transaction, for all who were not refused before."""

    def __init__(self, reply: SMTPResponse) -> None:
        super().__init__(reply)
        self.reply = reply


def _line(command: str, options: list[str]) -> bytes:
    line = " ".join([command, *options])
    if "\r" in line or "\n" in line:
        raise ValueError("a line's end in an SMTP command")
    return line.encode("utf-8", "surrogateescape")


def _status(code: int, message: str) -> str:
    """Return the enhanced code of a reply, or one that says as much as the reply."""
    word = message.split(" ", 1)[0]
    pieces = word.split(".")
    good = len(pieces) == 3 and all(p.isascii() and p.isdigit() for p in pieces)
    if good and pieces[0] == str(code)[0] and len(word) <= 11:
        return word
    return "5.0.0" if 500 <= code <= 599 else "4.0.0"
