"""What a check is."""

from typing import ClassVar

from mailhost.screening.values import Action, Finding, Incoming


class Check:
    """Looks at one message. One object serves all messages, many at the same time.

    `look` may raise, or take too long: it is then skipped, which is logged. It runs on
    the event loop: what computes for long, or waits without `await`, goes to a thread
    (`mailhost.dnsauth.work.run`); rows are asked for by `await gate.read(…)`.
    """

    name: ClassVar[str]  # unique; what settings and readers see

    def is_on(self) -> bool:
        """Whether it runs at all; asked for each message."""
        return True

    async def look(self, incoming: Incoming) -> Finding | None:
        """Return what it has to say; None: nothing."""
        raise NotImplementedError

    def found(
        self,
        score: float,
        reason: str,
        action: Action = Action.ACCEPT,
        *,
        is_harm: bool = False,
    ) -> Finding:
        """Return a finding of this check; the reason is shown to the recipient."""
        return Finding(self.name, score, reason, action, is_harm)
