"""What is found junk leaves by no alias.

Whoever gets it from us takes us for its source. Where a copy of it stays here, the one
that would leave is not made. Where none does it is refused while its sender waits for
the answer; if somebody else's copy is taken, it is too late for that, and to write to
the sender afterwards would be backscatter: it waits in the queue, as junk, for an
administrator to release it, and goes with the other rows that are done with.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mailhost.delivery.routes import Route

if TYPE_CHECKING:
    from mailhost.delivery.incoming import Plan

REFUSED = "550 5.7.1 This message is not wanted"


def keep_here(plan: "Plan", found: Mapping[str, Route]) -> None:
    """Take what leaves by aliases out of the plan, or let it wait."""
    for via in set(plan.forwards) - plan.alone:
        del plan.forwards[via]
    reply = plan.judged.reply or REFUSED
    if plan.targets or plan.relayed or plan.has_reports:
        plan.quarantine = reply
        return
    for recipient, way in found.items():
        if way.canonical in plan.forwards and recipient not in plan.refused:
            plan.refused[recipient] = reply
    plan.forwards.clear()
