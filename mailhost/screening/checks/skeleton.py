"""A check to copy: says what it looks for in one line, then what it leaves alone.

1. Copy this file into your app, rename the class and `name`.
2. Name it: MAILHOST_EXTRA_CHECKS=yourapp.checks.Skeleton
3. Test it: `await YourCheck().look(incoming(…))`, as tests/unit/screening does.
"""

from typing_extensions import override

from mailhost.screening.checks.base import Check
from mailhost.screening.values import Finding, Incoming


class Skeleton(Check):
    """Points for mail whose subject is all capitals."""

    name = "skeleton"

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        subject = incoming.fields.get(b"subject", b"")
        if len(subject) > 20 and subject.isupper():
            return self.found(0.5, "The subject is all capitals")
        return None
