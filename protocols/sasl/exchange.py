"""One exchange: what goes in comes from the client, or from accounts."""

from collections.abc import Callable
from typing import Any, TypeAlias

from accounts.claims import Claim, Salted
from accounts.known import Login
from protocols.sasl.mechanism import Challenge, Steps

# A challenge to be sent, a claim to be checked, or who has logged in.
Said: TypeAlias = Challenge | Claim | Salted | Login


class Exchange:
    """A mechanism in progress; a server keeps one per AUTH command."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._begun = False

    def step(self, response: bytes | None) -> Said:
        """Take a response (None: there was none yet). Raises SaslError."""
        if not self._begun:
            self._begun = True
            question = next(self._steps)
            if response is None:
                return question
        return self._go(self._steps.send, response)

    def answered(self, answer: Any) -> Said:
        """Take what accounts says of the claim."""
        return self._go(self._steps.send, answer)

    def refused(self, error: Exception) -> Said:
        """Take that the claim is refused; raises it, now or a challenge later."""
        return self._go(self._steps.throw, error)

    @staticmethod
    def _go(go: Callable[[Any], Challenge | Claim | Salted], what: Any) -> Said:
        try:
            return go(what)
        except StopIteration as end:
            login: Login = end.value
            return login
