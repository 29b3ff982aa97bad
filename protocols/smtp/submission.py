"""The submission service: what our users send, after login. RFC 6409, RFC 8314."""

from collections.abc import Sequence

from typing_extensions import override

from accounts import addresses
from mailhost.delivery import (
    NotPermitted,
    Outcome,
    Route,
    look_up,
    return_to_sender,
    submit,
)
from mailhost.outbound.values import Envelope, Recipient
from mailhost.store.gate import gate
from protocols.smtp import replies
from protocols.smtp.data import normalised
from protocols.smtp.login import LoginConnection
from protocols.smtp.paths import Refused


class Submission(LoginConnection):
    """A user's mail program."""

    offers_dsn = True
    before_tls = frozenset({"NOOP", "EHLO", "HELO", "STARTTLS", "QUIT", "RSET", "HELP"})

    @override
    def extensions(self) -> list[str]:
        return [*super().extensions(), "DSN"]

    @override
    async def check_sender(self, address: str) -> None:
        if self.login is None:
            raise Refused(replies.LOGIN_FIRST)
        await self.check_login()
        if not address:
            return  # reports that mail programs send. RFC 8098 §3
        if not await gate.read(addresses.sends_as, self.login.user_id, address):
            raise Refused(replies.NOT_YOUR_ADDRESS)

    @override
    async def check_recipient(self, address: str) -> Route:
        way = await look_up(address)
        if way.is_local and not way.is_known:
            raise Refused(replies.NO_SUCH_MAILBOX)
        return way

    @override
    async def take(self, octets: bytes, received: bytes) -> Sequence[str]:
        """Send; one reply for all recipients."""
        assert self.login is not None
        octets = normalised(octets)
        envelope = self._envelope()
        try:
            outcomes = await submit(
                self.login.user_id,
                octets,
                envelope,
                received=received,
                peer=f"{self.helo} [{self.context.peer}]",
            )
        except NotPermitted as refused:
            return [str(refused)]
        return [await self._reply(octets, envelope.mail_from, outcomes)]

    def _envelope(self) -> Envelope:
        given = self.envelope
        recipients = tuple(
            Recipient(address, options.notify, options.orcpt)
            for address, options in given.recipients.items()
        )
        return Envelope(
            given.mail_from or "",
            recipients,
            given.options.ret,
            given.options.envid,
            given.options.smtputf8,
        )

    async def _reply(
        self, octets: bytes, mail_from: str, outcomes: dict[str, Outcome]
    ) -> str:
        refused = [o for o in outcomes.values() if not o.is_accepted]
        if len(refused) == len(outcomes):
            return refused[0].reply
        if refused:
            await return_to_sender(octets, mail_from, refused)
        return replies.ACCEPTED
