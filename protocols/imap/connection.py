"""One IMAP connection, from octets to octets. Sans-IO.

`steps()` is pulled: it yields octets to send and effects to be done, `Await` when it
needs more input (`feed`). The driver sends nothing more until it pulls again, so a slow
reader holds up nothing but its own command. A tagged OK is yielded after the result of
the last Write came in: after its commit.
"""

import logging
import re
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from django.db import InterfaceError, OperationalError

from accounts.auth import LoginRefused
from mailhost.store.errors import StoreError
from protocols.imap.capabilities import capabilities
from protocols.imap.commands import COMMANDS, Needs, Row, Tells, uses_numbers
from protocols.imap.commands.base import Command, Run
from protocols.imap.effects import Await, Effect, StartTls, Steps
from protocols.imap.errors import (
    Bad,
    BrokenOff,
    Fatal,
    No,
    login_refusal,
    refusal,
)
from protocols.imap.framing import Framer, TooBig, WholeCommand
from protocols.imap.modseqs import highest
from protocols.imap.names import SharesUnknown, look_up_shares
from protocols.imap.notify.news import tell_news
from protocols.imap.parser import Parser
from protocols.imap.pushing import push_between
from protocols.imap.responses import continues, done, untagged
from protocols.imap.session import Session
from protocols.imap.sync import recheck, refresh, tell_changes
from protocols.imap.wording import DEFAULT, ENGLISH, in_language, say

log = logging.getLogger(__name__)

APPENDS = re.compile(rb"[^ ]+ (?:APPEND|(?:UID )?REPLACE [^ ]+) ", re.IGNORECASE)
BEFORE_LOGIN = 8_192  # octets of literals of one command
MESSAGES_AT_ONCE = 4  # times the largest message: all the literals of MULTIAPPEND
MOST_BAD = 40  # refused commands in a row, before we take it that it is no IMAP


@dataclass(slots=True)
class Connection:
    """Feed it what the client sent; do what `steps` yields."""

    session: Session = field(default_factory=Session)
    framer: Framer = field(init=False)
    bad: int = 0  # BADs in a row
    row: Row | None = None  # of the running command

    def __post_init__(self) -> None:
        self.framer = Framer(self.session.at.max_line, self._literal_limit)

    def feed(self, octets: bytes) -> None:
        """Take what the client sent."""
        self.framer.feed(octets)

    def input_for(self, awaited: Await) -> tuple[bool, bytes | None]:
        """Return whether there is input to go on with, and the line if one is wanted.

        Raises Fatal, to be thrown into the steps, for a line too long.
        """
        if awaited.line:
            line = self.framer.next_line()
            return line is not None, line
        return self.framer.has_news, None

    def steps(self) -> Steps:
        """Greet, then serve commands until the session has ended."""
        known = " ".join(capabilities(self.session))
        yield untagged(f"OK [CAPABILITY {known}] Ready")
        try:
            while not self.session.ended:
                frame = self.framer.next_command()
                if frame is None:
                    yield from self._rest()
                elif isinstance(frame, WholeCommand):
                    yield from self._execute(frame)
                elif isinstance(frame, TooBig):
                    yield from self._too_big(frame.octets)
                else:
                    yield continues(self._said("Go on"))
                if self.bad >= MOST_BAD:
                    raise Fatal("Too many bad commands")
        except Fatal as error:
            self.session.ended = True
            yield self.session.say(error.args[0], error.code, "BYE")
        except BrokenOff:
            log.exception("a response ends in the middle")
            self.session.ended = True
        finally:
            self.framer.close()

    def _rest(self) -> Steps:
        """Wait for the client; after NOTIFY, tell it meanwhile what happens."""
        listens = self.session.notified is not None
        if listens and self.session.has_news:
            yield from push_between(self.session)
        yield Await(changes=listens)

    def _execute(self, whole: WholeCommand) -> Steps:
        tag, name = "*", ""
        try:
            p = Parser(whole.octets, whole.literals, utf8=self.session.utf8)
            tag = self.session.tag = p.tag()
            p.sp()
            name, row = self._row(p)
            self.row = row
            code = yield from self._run(row, p)
            self.bad = 0
            yield done(tag, "OK", self._completed(name), code)
            yield from self._after()
        except Bad as error:
            self.bad += 1
            yield done(tag, "BAD", self._said(error.args[0]), error.code)
        except No as error:
            yield done(tag, "NO", self._said(error.args[0]), error.code)
        except StoreError as error:
            no = refusal(error)
            yield done(tag, "NO", self._said(no.args[0]), no.code)
        except LoginRefused as error:
            no = login_refusal(error)
            yield done(tag, "NO", self._said(no.args[0]), no.code)
        except (Fatal, BrokenOff):
            raise
        except (OperationalError, InterfaceError):
            log.exception("%s: the database cannot be asked", name)
            yield done(tag, "NO", self._said("Try again later"), "UNAVAILABLE")
        except Exception:
            # One command's bug must not end the connection, nor show its inside.
            log.exception("%s failed", name or "a command")
            yield done(tag, "NO", self._said("Internal error"), "SERVERBUG")
        finally:
            self.row = None
            self.session.mid_response = False
            for piece in whole.literals:
                if not isinstance(piece, bytes):
                    piece.close()

    def _run(self, row: Row, p: Parser) -> Generator[bytes | Effect, Any, str]:
        session = self.session
        command = row.parse(p)
        session.keeps_numbers = session.removes = False
        if session.shares() and (row.needs is not Needs.NONE or session.stale):
            yield from recheck(session)
        if row.tells is not Tells.NOTHING and session.stale:
            yield from refresh(session)
        session.shares_fresh = False
        try:
            code = yield from self._run_whole(command)
        except SharesUnknown:
            yield from look_up_shares(session)
            code = yield from self._run_whole(command)
        if row.tells is not Tells.NOTHING:
            if session.stale:
                yield from refresh(session)
            expunges = row.tells is Tells.ALL and not session.keeps_numbers
            yield from tell_changes(session, expunges=expunges)
            if told := highest(session):
                if code:
                    yield session.say("Highest", told)
                code = code or told
            yield from tell_news(session)
        return code or ""

    def _run_whole(self, command: Command) -> Run:
        try:
            return (yield from command.run(self.session))
        except Exception as error:
            if self.session.mid_response:
                raise BrokenOff from error
            raise

    def _after(self) -> Steps:
        """Change the stream behind the OK that announced it."""
        then, self.session.then = self.session.then, None
        if isinstance(then, StartTls):
            self.framer.take_rest()  # sent in the clear: forget it. RFC 9051 §6.2.1
            self.session.language = DEFAULT
            self.session.hidden = frozenset()
        if then is not None:
            yield then

    def _completed(self, name: str) -> str:
        if self.session.language in ENGLISH:
            return f"{name} completed"
        return self._said(say("{} completed", name))

    def _said(self, text: str) -> str:
        return in_language(self.session.language, text)

    def _row(self, p: Parser) -> tuple[str, Row]:
        name = p.atom().upper()
        if name == "UID":
            p.sp()
            name = f"UID {p.atom().upper()}"
        row = COMMANDS.get(name)
        if row is None:
            raise Bad(say("Unknown command {}", name[:40]))
        if self.session.state not in row.states:
            raise Bad(say("{} is not allowed in this state", name))
        if self.session.uid_only and uses_numbers(name):
            raise Bad(say("UID {} is the way here", name), "UIDREQUIRED")  # RFC 9586
        return name, row

    def _too_big(self, octets: bytes) -> Steps:
        """Refuse a literal that was announced. RFC 7888 §4."""
        self.bad += 1
        tag = octets.split(b" ", 1)[0].decode("ascii", "replace")
        if not re.fullmatch(r"[!-~]{1,200}", tag) or set(tag) & set('(){%*"\\]+'):
            tag = "*"
        result = "NO" if APPENDS.match(octets) else "BAD"
        yield done(tag, result, self._said("The literal is too big"), "TOOBIG")

    def _literal_limit(self, command: bytes) -> int:
        """Return the most octets that all literals of this command may have."""
        at = self.session.at
        if self.session.login is None:
            return BEFORE_LOGIN
        if APPENDS.match(command):
            return at.max_message * MESSAGES_AT_ONCE
        return at.max_literals
