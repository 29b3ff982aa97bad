"""The submission service: what our users send, after login. RFC 6409, RFC 8314."""

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone
from typing_extensions import override

from accounts import addresses
from mailhost.delivery import (
    NotPermitted,
    Outcome,
    Route,
    look_up,
    return_to_sender,
    schedule,
    submit,
)
from mailhost.outbound.values import Envelope
from mailhost.store.gate import gate
from protocols.smtp import replies
from protocols.smtp.data import normalised, off_the_loop
from protocols.smtp.login import LoginConnection
from protocols.smtp.parameters import longest_hold
from protocols.smtp.paths import Refused


class Submission(LoginConnection):
    """A user's mail program."""

    # BDAT is refused after its octets, not before. XCLIENT: see there.
    before_tls = frozenset(
        {
            *("NOOP", "EHLO", "HELO", "STARTTLS", "QUIT", "RSET", "HELP"),
            *("BDAT", "XCLIENT"),
        }
    )

    @override
    def extensions(self) -> list[str]:
        until = longest_hold()
        seconds = settings.MAILHOST_LONGEST_HOLD_DAYS * 86_400
        return [
            *super().extensions(),
            "MT-PRIORITY",  # RFC 6710 §3
            "DELIVERBY",  # RFC 2852 §3: any time
            # RFC 4865 §4
            f"FUTURERELEASE {seconds} {until:%Y-%m-%dT%H:%M:%SZ}",
        ]

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
        if not self.envelope.options.binary:
            octets = await off_the_loop(normalised, octets)
        envelope = self.asked(octets)
        try:
            return [await self._send(octets, envelope, received)]
        except NotPermitted as refused:
            return [str(refused)]

    async def _send(self, octets: bytes, envelope: Envelope, received: bytes) -> str:
        assert self.login is not None
        peer = f"{self.helo} [{self.context.peer}]"
        due = self.envelope.options.not_before
        if due is not None and due > timezone.now():
            more = {"received": received, "peer": peer}
            await schedule(self.login.user_id, octets, envelope, due, **more)
            return replies.HELD_FOR_NOW
        outcomes = await submit(
            self.login.user_id, octets, envelope, received=received, peer=peer
        )
        return await self._reply(octets, envelope, outcomes)

    async def _reply(
        self, octets: bytes, envelope: Envelope, outcomes: dict[str, Outcome]
    ) -> str:
        refused = [o for o in outcomes.values() if not o.is_accepted]
        if len(refused) == len(outcomes):
            return refused[0].reply
        if refused:
            await return_to_sender(octets, envelope, refused)
        return replies.ACCEPTED
