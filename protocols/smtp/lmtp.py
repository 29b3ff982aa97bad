"""LMTP: as MX, but hello is LHLO, and each recipient has its own reply. RFC 2033."""

from collections.abc import Sequence

from typing_extensions import override

from protocols.smtp.data import normalised, off_the_loop
from protocols.smtp.mx import Mx


class Lmtp(Mx):
    """A server beside us that hands mail in."""

    is_lmtp = True
    banner = "LMTP mailhost"
    without = Mx.without | {"HELO", "EHLO"}  # RFC 2033 §4.1

    async def smtp_LHLO(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's
        """LHLO domain."""
        await self._hello(arg, extended=True)

    @override
    async def take(self, octets: bytes, received: bytes) -> Sequence[str]:
        # It comes from a program we trust, often from a pipe: LF is mended.
        if not self.envelope.options.binary:
            octets = await off_the_loop(normalised, octets)
        outcomes = await self._deliver(octets, received)
        return [outcomes[name].reply for name in self.envelope.told]
