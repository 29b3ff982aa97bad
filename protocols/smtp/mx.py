"""The MX service: mail from the world, for addresses that exist here, no relaying."""

from collections.abc import Sequence

from django.conf import settings
from typing_extensions import override

from mailhost.delivery import (
    TRUSTED,
    Judged,
    Outcome,
    Route,
    deliver,
    look_up,
    return_to_sender,
    tell_success,
)
from protocols.smtp import replies
from protocols.smtp.data import has_bare_line_ends, off_the_loop
from protocols.smtp.paths import Refused
from protocols.smtp.stranger import StrangerConnection


class Mx(StrangerConnection):
    """Another server that has mail for us."""

    without = StrangerConnection.without | {"AUTH"}  # nobody logs in here

    @override
    def offers_dsn(self) -> bool:
        return bool(settings.MAILHOST_MX_DSN)

    @override
    async def check_recipient(self, address: str) -> Route:
        way = await look_up(address)
        if not way.is_local:
            raise Refused(replies.NO_RELAY)
        if not way.is_known:
            await self.answer_guess()
            raise Refused(replies.NO_SUCH_MAILBOX)
        await self.check_known(address)
        return way

    @override
    async def take(self, octets: bytes, received: bytes) -> Sequence[str]:
        """Deliver; one reply for all recipients. RFC 5321 §4.1.1.4."""
        is_text = not self.envelope.options.binary
        if is_text and await off_the_loop(has_bare_line_ends, octets):
            # What one server reads as a line end and another does not can smuggle.
            raise Refused(replies.BARE_LINE_ENDS)
        octets, field, judged = await self.look_at(octets)
        outcomes = await self._deliver(octets, field + received, judged)
        refused = [o for o in outcomes.values() if not o.is_accepted]
        if len(refused) == len(outcomes):
            return [_worst(refused)]
        if refused:
            await self._tell(octets, refused, judged)
        return [replies.ACCEPTED]

    async def _tell(
        self, octets: bytes, refused: Sequence[Outcome], judged: Judged
    ) -> None:
        """Tell the sender by mail of recipients that failed: one reply cannot say both.

        Only one who is real: whoever was forged did not send it, and it was no loss
        (the message was here before). RFC 3834 §2, RFC 5321 §6.2.
        """
        if judged.sender_is_real:
            await return_to_sender(octets, self.asked(octets), refused)
            return
        for outcome in refused:
            self.log.warning(
                "nobody is told of %r: %s", *(outcome.recipient, outcome.reply)
            )

    async def _deliver(
        self, octets: bytes, received: bytes, judged: Judged = TRUSTED
    ) -> dict[str, Outcome]:
        envelope, asked = self.envelope, self.asked(octets)
        outcomes = await deliver(
            received + octets,
            mail_from=asked.mail_from,
            recipients=tuple(envelope.recipients),
            peer=f"{self.helo} [{self.context.peer}]",
            known=envelope.routes,
            judged=judged,
            wishes=asked,
        )
        if judged.sender_is_real:  # a forged one did not ask
            await tell_success(octets, asked, outcomes, envelope.routes)
        return outcomes


def _worst(refused: Sequence[Outcome]) -> str:
    """Return the reply for all: a temporary one as long as one may get better."""
    temporary = [o.reply for o in refused if o.reply.startswith("4")]
    return (temporary or [o.reply for o in refused])[0]
