"""One POP3 connection, from octets to actions. Sans-IO.

The server feeds octets, asks for the next action, does it, and asks again: a command is
looked at only when the one before it is answered, so pipelining needs nothing more.
"""

import logging
from dataclasses import dataclass
from typing import Any

from accounts.auth import LoginRefused, NotNow
from mailhost.store.errors import StoreError
from protocols.common.wording import say
from protocols.pop3.actions import Action, Authenticate, Fetch, Open, Say
from protocols.pop3.commands import COMMANDS
from protocols.pop3.commands.auth import go_on, respond
from protocols.pop3.errors import Fatal, Refused, refusal
from protocols.pop3.framing import Framer
from protocols.pop3.maildrop import Maildrop
from protocols.pop3.replies import err, ok, speak
from protocols.pop3.session import Session, State

log = logging.getLogger(__name__)

MAX_FAILURES = 3  # logins refused before the connection ends
NOT_NOW = {
    State.AUTHORIZATION: "Log in first",
    State.TRANSACTION: "You are logged in already",
}
INTERNAL = "Internal error, try again later"


@dataclass(slots=True)
class Connection:
    """Feed it what the client sent; do what `next_action` returns."""

    session: Session
    framer: Framer

    def greet(self) -> bytes:
        """Return the first line; without a timestamp there is no APOP."""
        return ok("mailhost POP3 ready")

    def next_action(self) -> Action | None:
        """Return what to do next; None: wait for more octets."""
        speak(self.session.language)
        if self.session.ended:
            return None
        try:
            line = self.framer.next_line()
            return None if line is None else self._execute(line)
        except LoginRefused as error:
            return self.login_failed(error)
        except Refused as error:
            return Say(err(error))
        except Fatal as error:
            self.session.ended = True
            return Say(err(error), close=True)
        except Exception:
            # One command's bug must not end the connection, nor show its inside.
            log.exception("command failed")
            return Say(err(INTERNAL, "SYS/TEMP"))

    def answered(self, action: Authenticate, answer: Any) -> Action:
        """Go on with what accounts says of a claim: a Login, or SCRAM's parameters."""
        speak(self.session.language)
        if action.exchange is None:
            return Open(answer)
        exchange = action.exchange
        try:
            return go_on(self.session, exchange, lambda: exchange.answered(answer))
        except Refused as error:
            return Say(err(error))

    def refused(self, action: Authenticate, error: LoginRefused) -> Action:
        """Go on with a refusal: a mechanism may say more before it ends."""
        speak(self.session.language)
        exchange = action.exchange
        if exchange is None:
            return self.login_failed(error)
        try:
            return go_on(self.session, exchange, lambda: exchange.refused(error))
        except LoginRefused as refusal_:
            return self.login_failed(refusal_)

    def logged_in(self, maildrop: Maildrop) -> bytes:
        """Go on in TRANSACTION; return the answer to PASS or AUTH."""
        speak(self.session.language)
        self.session.maildrop = maildrop
        return ok(say("{} messages", len(maildrop)))

    def login_failed(self, error: Exception) -> Say:
        """Return the answer to PASS or AUTH; after a few, the last. RFC 3206 §4."""
        speak(self.session.language)
        if isinstance(error, StoreError):
            return Say(err(refusal(error)))
        if isinstance(error, Refused):  # right, but too soon
            return Say(err(error))
        if not isinstance(error, LoginRefused):
            return Say(err(INTERNAL, "SYS/TEMP"))
        self.session.failures += 1
        self.session.ended = self.session.failures >= MAX_FAILURES
        # RFC 3206 §4: AUTH has a program ask its user for another password.
        code = "SYS/TEMP" if isinstance(error, NotNow) else "AUTH"
        return Say(err(error, code), close=self.session.ended)

    def revoked(self, error: LoginRefused) -> Say:
        """Return the last answer of a session whose login is void."""
        speak(self.session.language)
        self.session.ended = True
        return Say(err(error, "AUTH"), close=True)

    def told(self, error: Exception | str, code: str = "") -> bytes:
        """Return a refusal that the server found by itself."""
        speak(self.session.language)
        return err(error, code)

    def following(self, action: Fetch, most: int) -> list[tuple[int, int]]:
        """Return (content, octets) of what is likely to be asked for next."""
        if self.session.ended or action.lines is not None:
            return []
        return self.session.drop.after(action.number, most)

    def _execute(self, line: bytes) -> Action:
        if self.session.exchange is not None:
            return respond(self.session, line)
        keyword, _, arguments = line.partition(b" ")
        row = COMMANDS.get(keyword.strip().upper())
        if row is None:
            raise Refused("Unknown command")
        if self.session.state not in row.states:
            raise Refused(NOT_NOW[self.session.state])
        return row.parse(arguments).run(self.session)
