"""The MX service: mail from the world, for addresses that exist here, no relaying."""

from collections.abc import Sequence

from typing_extensions import override

from mailhost.delivery import Outcome, Route, deliver, look_up, return_to_sender
from protocols.smtp import replies
from protocols.smtp.data import has_bare_line_ends
from protocols.smtp.paths import Refused
from protocols.smtp.transaction import MailConnection


class Mx(MailConnection):
    """Another server that has mail for us."""

    without = MailConnection.without | {"AUTH"}  # nobody logs in here

    @override
    async def check_recipient(self, address: str) -> Route:
        way = await look_up(address)
        if not way.is_local:
            raise Refused(replies.NO_RELAY)
        if not way.is_known:
            raise Refused(replies.NO_SUCH_MAILBOX)
        return way

    @override
    async def take(self, octets: bytes, received: bytes) -> Sequence[str]:
        """Deliver; one reply for all recipients. RFC 5321 §4.1.1.4."""
        outcomes = await self._deliver(octets, received)
        refused = [o for o in outcomes.values() if not o.is_accepted]
        if len(refused) == len(outcomes):
            return [_worst(refused)]
        if refused:
            # One reply cannot say both: the sender hears of the others by mail.
            assert self.envelope.mail_from is not None
            await return_to_sender(octets, self.envelope.mail_from, refused)
        return [replies.ACCEPTED]

    async def _deliver(self, octets: bytes, received: bytes) -> dict[str, Outcome]:
        if has_bare_line_ends(octets):
            # What one server reads as a line end and another does not can smuggle.
            raise Refused(replies.BARE_LINE_ENDS)
        envelope = self.envelope
        assert envelope.mail_from is not None
        return await deliver(
            received + octets,
            mail_from=envelope.mail_from,
            recipients=tuple(envelope.recipients),
            peer=f"{self.helo} [{self.context.peer}]",
            known=envelope.routes,
        )


def _worst(refused: Sequence[Outcome]) -> str:
    """Return the reply for all: a temporary one as long as one may get better."""
    temporary = [o.reply for o in refused if o.reply.startswith("4")]
    return (temporary or [o.reply for o in refused])[0]
