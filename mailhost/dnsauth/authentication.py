"""All methods on one message, as one value, and its Authentication-Results field."""

import asyncio
from dataclasses import dataclass, field

from mailhost.dnsauth import arc, dmarc, iprev, signatures, spf, work
from mailhost.dnsauth.arc import Arc
from mailhost.dnsauth.dmarc import Dmarc
from mailhost.dnsauth.header import Result, write
from mailhost.dnsauth.iprev import Iprev
from mailhost.dnsauth.resolver import Asks, Purse
from mailhost.dnsauth.signatures import Signature
from mailhost.dnsauth.signed import Letter, letter_of
from mailhost.dnsauth.spf import Spf
from mailhost.mime.addresses import parse_addresses

UNKNOWN = "temperror"
QUERIES = 50  # of each method
ARC_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Handover:
    """Who hands a message in, and for whom."""

    peer: str  # IP address
    helo: str
    mail_from: str  # "" is the null sender


@dataclass(frozen=True, slots=True)
class Authentication:
    """What is known of a message's origin."""

    handover: Handover
    iprev: Iprev = field(default_factory=lambda: Iprev(UNKNOWN))
    spf: Spf = field(default_factory=lambda: Spf(UNKNOWN))
    helo: Spf = field(default_factory=Spf)  # of the HELO name beside a sender's domain
    signatures: tuple[Signature, ...] = ()
    arc: Arc = field(default_factory=Arc)
    dmarc: Dmarc = field(default_factory=lambda: Dmarc(UNKNOWN))

    @property
    def signers(self) -> list[str]:
        """The domains whose signatures hold, topmost first."""
        return list(dict.fromkeys(s.domain for s in self.signatures if s.holds))

    @property
    def sender_is_real(self) -> bool:
        """Whether the envelope's sender is who it says: reports may go there."""
        domain = self.handover.mail_from.rpartition("@")[2].lower().rstrip(".")
        if not domain:
            return False
        spf_says = self.spf.result == "pass" and self.spf.identity == "mailfrom"
        ends = [s for s in self.signers if domain == s or domain.endswith("." + s)]
        return spf_says or any(not dmarc.is_public_suffix(end) for end in ends)

    def field(self, authserv_id: str) -> bytes:
        """Return the Authentication-Results field. RFC 8601 §2.7."""
        return write(authserv_id, self.results())

    def results(self) -> list[Result]:
        """Return each method's word, as the field has it."""
        found = [
            Result(
                "iprev",
                self.iprev.result,
                (("policy.iprev", self.handover.peer),),
                self.iprev.name or self.iprev.reason,
            ),
            _of_spf(self.spf),
        ]
        if self.helo.result != "none":
            found.append(_of_spf(self.helo))
        found += [_of_signature(one) for one in self.signatures]
        if not self.signatures:
            found.append(Result("dkim", "none"))
        if self.arc.result != "none":
            sealed = f"sealed by {', '.join(self.arc.sealers[:5])}"
            reason = self.arc.reason or sealed
            peer = (("smtp.remote-ip", self.handover.peer),)  # RFC 8617 §6
            found.append(Result("arc", self.arc.result, peer, reason))
        found.append(
            Result(
                "dmarc",
                self.dmarc.result,
                (("header.from", self.dmarc.domain),),
                f"p={self.dmarc.policy}" if self.dmarc.record_at else "",
            )
        )
        return found


def _of_spf(one: Spf) -> Result:
    return Result(
        "spf", one.result, ((f"smtp.{one.identity}", one.domain),), one.reason
    )


def _of_signature(one: Signature) -> Result:
    properties = (
        ("header.d", one.domain),
        ("header.s", one.selector),
        ("header.a", one.algorithm),
        ("header.b", one.mark),
    )
    bits = f"{one.bits}-bit key" if one.bits else ""
    return Result("dkim", one.result, properties, one.reason or bits)


async def authenticate(
    octets: bytes, handover: Handover, host: str, purse: Purse, queries: int = QUERIES
) -> Authentication:
    """Ask all methods; never raises but for cancellation.

    `octets` are as they arrived, without any field of ours. Each method has a budget of
    its own: who makes us spend one on their records must not leave nothing for DMARC.
    """
    letter, wanted = await work.run(_read, octets)
    walks = dmarc.Walks(purse(queries))
    reverse, (sender, helo), signed, _ = await asyncio.gather(
        iprev.check(handover.peer, purse(queries)),
        _senders(handover, host, purse, queries),
        signatures.verify(letter, purse(queries)),
        walks.begin(wanted),
    )
    unknown = [one.domain for one in signed if one.result == UNKNOWN]
    unknown += [sender.domain] if sender.result == UNKNOWN else []
    evidence = dmarc.Evidence(
        [sender.domain] if sender.result == "pass" else [],
        [one.domain for one in signed if one.holds],
        [domain for domain in unknown if domain],
    )
    policy = await dmarc.check(wanted, evidence, walks)
    chain = await _chain(letter, purse(queries))
    return Authentication(handover, reverse, sender, helo, signed, chain, policy)


async def _senders(
    handover: Handover, host: str, purse: Purse, queries: int
) -> tuple[Spf, Spf]:
    """Ask for the sender and, where it is not null, for the HELO name too.

    RFC 7208 §2.3. DMARC hears of the first alone.
    """
    peer, sender, helo = handover.peer, handover.mail_from, handover.helo
    first = spf.check(peer, sender, helo, host, purse(queries))
    if not sender or "." not in helo:
        return await first, Spf(identity="helo")
    second = spf.check(peer, "", helo, host, purse(queries))
    return await asyncio.gather(first, second)


async def _chain(letter: Letter, ask: Asks) -> Arc:
    """Verify the chain, last and bounded: fifty sets take time, and DMARC waits not."""
    try:
        async with asyncio.timeout(ARC_SECONDS):
            return await arc.verify(letter, ask)
    except TimeoutError:
        return Arc("fail", reason="It took too long")


def _read(octets: bytes) -> tuple[Letter, list[str]]:
    letter = letter_of(octets)
    return letter, authors(letter)


def authors(letter: Letter) -> list[str]:
    """Return the domains of all From addresses."""
    addresses = [a for value in letter.authors for a in parse_addresses(value)]
    return [address.host for address in addresses if address.host]
