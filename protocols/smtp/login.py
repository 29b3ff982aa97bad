"""AUTH. RFC 4954."""

import base64
import binascii
from collections.abc import Callable
from functools import partial

from django.db import DatabaseError
from typing_extensions import override

from accounts.auth import Login, LoginRefused, NotAllowed, authenticate
from accounts.models import User
from mailhost.store.gate import gate
from protocols import sasl
from protocols.smtp import replies
from protocols.smtp.connection import Closed
from protocols.smtp.paths import Refused
from protocols.smtp.transaction import MailConnection

MOST_FAILURES = 3  # logins that fail, of one connection


class LoginConnection(MailConnection):
    """A connection that a user may log in on."""

    login: Login | None = None
    _failures = 0
    _version: int | None = None

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
        offered = [f"AUTH {' '.join(sasl.MECHANISMS)}"] * self.context.may_log_in
        return super().extensions() + offered

    @override
    async def smtp_AUTH(self, arg: str | None) -> None:
        """AUTH mechanism [initial-response]."""
        mechanism, initial = self._start(arg)
        try:
            step = mechanism.step(initial)
            while isinstance(step, sasl.Challenge):
                step = mechanism.step(await self._ask(step.octets))
        except sasl.SaslError:
            raise Refused(replies.BAD_SASL) from None
        await self._log_in(step)

    def _start(self, arg: str | None) -> tuple[sasl.Mechanism, bytes | None]:
        if not self.helo or not self.is_extended:
            raise Refused(replies.NEED_HELO)
        if self.login is not None:
            raise Refused(replies.ALREADY_LOGGED_IN)
        if self.envelope.mail_from is not None:
            raise Refused(replies.ONE_MAIL)
        if not self.context.may_log_in:
            raise Refused(replies.LOGIN_WANTS_TLS)
        name, _, said = (arg or "").partition(" ")
        mechanism = sasl.start(name)
        if mechanism is None:
            raise Refused(replies.UNKNOWN_MECHANISM)
        if not said:
            return mechanism, None
        # "=" is the empty response. RFC 4954 §4
        return mechanism, b"" if said == "=" else _decoded(said.encode())

    async def _ask(self, challenge: bytes) -> bytes:
        await self.say("334 " + base64.b64encode(challenge).decode())
        line = await self.read_line()
        if line == b"*":
            raise Refused(replies.SASL_ABORTED)
        return _decoded(line)

    async def _log_in(self, claimed: sasl.Credentials) -> None:
        check = partial(authenticate, protocol="smtp", address=self.context.peer)
        try:
            login, self._version = await gate.read(
                _log_in, check, claimed.login, claimed.password
            )
        except LoginRefused as refused:
            self.log.warning("login refused")
            await self._refuse_login(allowed=not isinstance(refused, NotAllowed))
            return
        except DatabaseError as error:
            await self.handle_exception(error)
            raise Refused(replies.LOGIN_TRY_LATER) from error
        self.login = login
        self.log.info("logged in user=%s", login.user_id)
        await self.say(replies.LOGGED_IN)

    async def check_login(self) -> None:
        """Say goodbye if what the user logged in with is not valid any more."""
        assert self.login is not None
        if await gate.read(_version_of, self.login) != self._version:
            self._end(replies.LOGIN_ENDED)
            raise Closed

    async def _refuse_login(self, *, allowed: bool) -> None:
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            self._end(replies.TOO_MANY_ERRORS)
            raise Closed
        text = replies.WRONG_CREDENTIALS if allowed else replies.LOGIN_NOT_ALLOWED
        await self.say(text)


def _log_in(
    check: Callable[[str, str], Login], name: str, password: str
) -> tuple[Login, int | None]:
    login = check(name, password)
    return login, _version_of(login)


def _version_of(login: Login) -> int | None:
    """Return the version of a login's credentials; None if they are void."""
    users = User.objects.filter(pk=login.user_id, is_active=True, account__active=True)
    if login.app_password_id is not None:
        users = users.filter(app_passwords=login.app_password_id)
    return users.values_list("credential_version", flat=True).first()


def _decoded(octets: bytes) -> bytes:
    try:
        return base64.b64decode(octets, validate=True)
    except binascii.Error:
        raise Refused(replies.BAD_SASL) from None
