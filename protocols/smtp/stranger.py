"""Who brings mail from the world: admitted, slowed, told to come again, looked at.

Peers of MAILHOST_UNCHECKED_NETWORKS are no strangers: none of this concerns them.
"""

import asyncio

from django.conf import settings
from typing_extensions import override

from mailhost.delivery import TRUSTED, Judged
from mailhost.dnsauth.arcset import Sight
from mailhost.dnsauth.authentication import Handover
from mailhost.dnsauth.header import without_forged
from mailhost.dnsauth.work import run
from mailhost.mime.headers import block_end
from mailhost.mime.limits import MAX_HEADER
from mailhost.screening import greylist, strangers
from mailhost.screening.networks import is_looked_at
from mailhost.screening.pipeline import screen
from mailhost.screening.values import Action, Verdict, is_duty
from protocols.smtp import replies
from protocols.smtp.connection import Closed
from protocols.smtp.paths import Refused
from protocols.smtp.transaction import MailConnection


class StrangerConnection(MailConnection):
    """A server that nobody here knows."""

    @property
    def is_stranger(self) -> bool:
        """Whether the peer is looked at."""
        return not self.is_lmtp and is_looked_at(self.context.peer)

    @override
    async def check_sender(self, address: str) -> None:
        if not self.is_stranger:
            return
        if strangers.has_guessed_enough(self.context.peer):
            self.say_goodbye(replies.TOO_MANY_GUESSES)
        if not strangers.may_send(self.context.peer):
            raise Refused(replies.SLOW_DOWN)

    def say_goodbye(self, reply: str) -> None:
        """End the connection; raises Closed."""
        self.log.warning("sent away reply=%r", reply)
        self._end(reply)
        raise Closed

    async def answer_guess(self) -> None:
        """Take the time that an unknown recipient costs; raises Closed when enough."""
        if not self.is_stranger:
            return
        seconds = strangers.guessed(self.context.peer)
        if seconds is None:
            self.say_goodbye(replies.TOO_MANY_GUESSES)
        elif seconds:
            await asyncio.sleep(seconds)

    async def check_known(self, recipient: str) -> None:
        """Raise Refused for who is to come again later."""
        if not (settings.MAILHOST_GREYLIST and self.is_stranger):
            return
        if is_duty(recipient):
            return
        sender = self.envelope.mail_from or ""
        if await greylist.must_wait(self.context.peer, sender, recipient):
            raise Refused(replies.COME_AGAIN)

    async def look_at(self, octets: bytes) -> tuple[bytes, bytes, Judged]:
        """Return the message, what we say of it, and what delivery has to know.

        The message has lost fields that only claim to be ours. Raises Refused.
        """
        if not self.is_stranger:
            return octets, b"", TRUSTED
        if block_end(octets, 0, len(octets)) > MAX_HEADER:
            # What nobody reads to its end could say anything there.
            raise Refused(replies.HEADER_TOO_LONG)
        host = settings.MAILHOST_HOSTNAME
        clean = await run(without_forged, octets, host)
        if not settings.MAILHOST_CHECK_MAIL:
            return clean, b"", Judged(sender_is_real=False)
        verdict = await self._verdict(octets)
        origin = verdict.origin
        field = origin.field(host)
        judged = Judged(
            verdict.to_json(),
            verdict.is_junk,
            origin.sender_is_real,
            Sight(field.partition(b":")[2], origin.arc.result),
            verdict.reply if verdict.is_junk else "",
        )
        return clean, field, judged

    async def _verdict(self, octets: bytes) -> Verdict:
        envelope = self.envelope
        handover = Handover(self.context.peer, self.helo, envelope.mail_from or "")
        verdict = await screen(octets, handover, tuple(envelope.recipients))
        if verdict.action is Action.REFUSE:
            raise Refused(verdict.reply)
        return verdict
