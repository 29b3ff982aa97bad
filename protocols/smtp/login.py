"""AUTH. RFC 4954."""

import asyncio
import base64
import binascii

from django.db import DatabaseError
from typing_extensions import override

from accounts.auth import Attempt, Login, LoginRefused, NotAllowed, NotNow
from accounts.claims import Claim, Salted
from accounts.known import version_of
from mailhost.store.gate import gate
from protocols import sasl
from protocols.common import logins
from protocols.common.presence import sessions
from protocols.smtp import replies
from protocols.smtp.connection import Closed
from protocols.smtp.paths import Refused
from protocols.smtp.transaction import MailConnection

MOST_FAILURES = 3  # logins that fail, of one connection
FAILED_SECONDS = 1.0  # each guess costs its connection that long


class LoginConnection(MailConnection):
    """A connection that a user may log in on."""

    login: Login | None = None
    _failures = 0

    @override
    def _start_over(self) -> None:
        self.login = None
        super()._start_over()

    @property
    @override
    def is_logged_in(self) -> bool:
        return self.login is not None

    @override
    def extensions(self) -> list[str]:
        names = " ".join(sasl.offered(self.context.sasl("smtp")))
        return super().extensions() + [f"AUTH {names}"] * self.context.may_log_in

    @override
    async def smtp_AUTH(self, arg: str | None) -> None:
        """AUTH mechanism [initial-response]."""
        exchange, initial = self._start(arg)
        try:
            said = exchange.step(initial)
            while not isinstance(said, Login):
                if isinstance(said, sasl.Challenge):
                    said = exchange.step(await self._ask(said.octets))
                else:
                    said = await self._check(exchange, said)
        except sasl.SaslError:
            raise Refused(replies.BAD_SASL) from None
        except LoginRefused as refused:
            await self._refuse_login(refused)
            return
        await self._logged_in(said)

    def _start(self, arg: str | None) -> tuple[sasl.Exchange, bytes | None]:
        if not self.helo or not self.is_extended:
            raise Refused(replies.NEED_HELO)
        if self.login is not None:
            raise Refused(replies.ALREADY_LOGGED_IN)
        if self.envelope.mail_from is not None:
            raise Refused(replies.ONE_MAIL)
        if not self.context.may_log_in:
            raise Refused(replies.LOGIN_WANTS_TLS)
        name, _, said = (arg or "").partition(" ")
        exchange = sasl.start(name, self.context.sasl("smtp"))
        if exchange is None:
            raise Refused(replies.UNKNOWN_MECHANISM)
        if not said:
            return exchange, None
        # "=" is the empty response. RFC 4954 §4
        return exchange, b"" if said == "=" else _decoded(said.encode())

    async def _ask(self, challenge: bytes) -> bytes:
        await self.say("334 " + base64.b64encode(challenge).decode())
        line = await self.read_line()
        if line == b"*":
            raise Refused(replies.SASL_ABORTED)
        return _decoded(line)

    async def _check(self, exchange: sasl.Exchange, claim: Claim | Salted) -> sasl.Said:
        at = Attempt("smtp", self.context.peer, self.client)
        try:
            answer = await logins.ask(claim, at)
        except LoginRefused as refused:
            self.log.warning("login refused")
            self._failures += 1
            await asyncio.sleep(FAILED_SECONDS)
            return exchange.refused(refused)
        except DatabaseError as error:
            await self.handle_exception(error)
            raise Refused(replies.LOGIN_TRY_LATER) from error
        return exchange.answered(answer)

    async def _logged_in(self, login: Login) -> None:
        self.login = login
        sessions.add(self, self.context, login)
        self.log.info("logged in user=%s", login.user_id)
        await self.say(replies.LOGGED_IN)

    @property
    def client(self) -> str:
        """What the client calls itself."""
        return self.helo

    def revoke(self) -> None:
        """End the session: what it logged in with is void. Called on the loop."""
        self._end(replies.LOGIN_ENDED)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.context = self.context.on(transport)
        super().connection_made(transport)

    @override
    def connection_lost(self, error: Exception | None) -> None:
        sessions.remove(self)
        super().connection_lost(error)

    async def check_login(self) -> None:
        """Say goodbye if what the user logged in with is not valid any more."""
        assert self.login is not None
        if await gate.read(version_of, self.login) != self.login.version:
            self._end(replies.LOGIN_ENDED)
            raise Closed

    async def _refuse_login(self, refused: LoginRefused) -> None:
        if self._failures >= MOST_FAILURES:
            self._end(replies.TOO_MANY_ERRORS)
            raise Closed
        await self.say(_reply(refused))


def _reply(refused: LoginRefused) -> str:
    """RFC 4954 §6: after 454 a program need not ask its user for another password."""
    if isinstance(refused, NotNow):
        return replies.LOGIN_TRY_LATER
    if isinstance(refused, NotAllowed):
        return replies.LOGIN_NOT_ALLOWED
    return replies.WRONG_CREDENTIALS


def _decoded(octets: bytes) -> bytes:
    try:
        return base64.b64decode(octets, validate=True)
    except binascii.Error:
        raise Refused(replies.BAD_SASL) from None
