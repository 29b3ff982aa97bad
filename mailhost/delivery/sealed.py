"""What aliases send out of here bears an ARC seal of their domain. RFC 8617 §5.1.

Whoever gets it can tell that DMARC held when it came to us, though now it is we who
bring it.
What nobody looked at is not sealed: there is nothing to say of it.
"""

from typing import TYPE_CHECKING

from mailhost.dnsauth import work
from mailhost.outbound import signing
from mailhost.store.gate import gate

if TYPE_CHECKING:
    from mailhost.delivery.incoming import Out, Plan


async def sealed(out: "Out", plan: "Plan") -> "Out":
    """Return the forwards, one for each alias of the plan, with their seals."""
    sight = plan.judged.sight
    if sight is None:
        return out
    found: Out = []
    for via, (octets, envelope, row) in zip(plan.forwards, out, strict=True):
        domain = via.rpartition("@")[2]
        sealer = await gate.read(signing.sealer_of, domain)
        if sealer is not None:
            octets = await work.run(signing.sealed, octets, sealer, sight)
        found.append((octets, envelope, row))
    return found
