"""What one IMAP connection knows: who, in which state, looking at which messages."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from accounts.auth import Login
from mailhost.store.values import AccountInfo
from protocols.imap.effects import Compress, Decompress, StartTls
from protocols.imap.errors import Bad, No
from protocols.imap.notify.events import EVERYTHING, Wishes
from protocols.imap.responses import coded
from protocols.imap.selected import Selected
from protocols.imap.wording import DEFAULT, in_language
from protocols.sasl import At

if TYPE_CHECKING:
    from protocols.imap.notify.notified import Notified


class State(enum.Flag):
    """Where the connection stands. RFC 9051 §3."""

    NOT_AUTHENTICATED = enum.auto()
    AUTHENTICATED = enum.auto()
    SELECTED = enum.auto()
    LOGOUT = enum.auto()

    KNOWN = AUTHENTICATED | SELECTED
    ANY = NOT_AUTHENTICATED | AUTHENTICATED | SELECTED


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How the client is connected, and what the settings allow."""

    peer: str = "127.0.0.1"
    hostname: str = "localhost"  # ours, as it stands in URLs
    tls: bool = False
    may_log_in: bool = True
    offers_starttls: bool = False
    max_line: int = 65_536  # octets of a command, its literals not counted
    max_literals: int = 1_048_576  # octets of one command's literals; not of APPEND
    max_message: int = 52_428_800  # octets
    refuse_raw_headers: bool = True  # of clients that did not ask for UTF-8
    may_log_out: bool = True  # UNAUTHENTICATE
    message_limit: int = 0  # that one command works on; 0: any. RFC 9738
    save_limit: int = 0  # that one COPY or APPEND makes
    sasl: At = At()  # noqa: RUF009 -- frozen


@dataclass(slots=True)
class Session:
    """One connection; holds no socket."""

    at: Circumstances = field(default_factory=Circumstances)
    login: Login | None = None
    shared: Sequence[AccountInfo] = ()  # accounts of others, as last looked up
    shares_fresh: bool = False  # looked up by the running command
    selected: Selected | None = None
    enabled: set[str] = field(default_factory=set)
    tag: str = ""  # of the running command
    ended: bool = False
    # Once the tagged OK has been sent.
    then: StartTls | Compress | Decompress | None = None
    compressed: bool = False
    failed_logins: int = 0
    hidden: frozenset[str] = frozenset()  # from this program; see quirks
    client: str = ""  # what the program calls itself
    heard: int = 0  # highest modseq of the watched account that was heard of
    synced: int = -1  # what had been heard when the view was last brought up to date
    keeps_numbers: bool = False  # while the running command uses message numbers
    removes: bool = False  # the running command expunges: it is told of that
    mid_response: bool = False  # nothing may be said between what was and what comes
    language: str = DEFAULT  # of what is said to people. RFC 5255
    polls: bool = False  # nobody marks changes: look each time
    notified: "Notified | None" = None  # what NOTIFY asked for; None: never used

    @property
    def state(self) -> State:
        """Follows from what is known, so it cannot disagree with it."""
        if self.ended:
            return State.LOGOUT
        if self.selected is not None:
            return State.SELECTED
        return State.NOT_AUTHENTICATED if self.login is None else State.AUTHENTICATED

    @property
    def user_id(self) -> int:
        return self.who().user_id

    def asker(self, account_id: int) -> int | None:
        """Return for whom the store is asked: None for the owner, who may do all."""
        who = self.who()
        return None if account_id == who.account_id else who.user_id

    def shares(self) -> bool:
        """Tell whether the selected folder is of an account not the user's own."""
        selected = self.selected
        return (
            selected is not None and self.asker(selected.folder.account_id) is not None
        )

    @property
    def utf8(self) -> bool:
        """Whether mailbox names are UTF-8. RFC 9051 §5.1, RFC 6855 §3."""
        return bool(self.enabled & {"IMAP4REV2", "UTF8=ACCEPT"})

    @property
    def rev2(self) -> bool:
        return "IMAP4REV2" in self.enabled

    @property
    def condstore(self) -> bool:
        """Whether the client is told mod-sequences unasked. RFC 7162 §3.1."""
        return bool(self.enabled & {"CONDSTORE", "QRESYNC"})

    @property
    def uid_only(self) -> bool:
        """Whether message numbers are neither taken nor told. RFC 9586."""
        return "UIDONLY" in self.enabled

    @property
    def says_vanished(self) -> bool:
        """Whether VANISHED is sent instead of EXPUNGE. RFC 7162 §3.2.10, RFC 9586."""
        return bool(self.enabled & {"QRESYNC", "UIDONLY"})

    def log_out(self) -> None:
        """Forget all that came with the login and since.

        What stays is the connection's: how it is made, the program at its other end,
        and the guesses made on it. RFC 8437 §3, §4.1.
        """
        fresh = Session(
            self.at,
            tag=self.tag,
            failed_logins=self.failed_logins,
            polls=self.polls,
            hidden=self.hidden,
        )
        for one in fields(self):
            setattr(self, one.name, getattr(fresh, one.name))

    def say(self, text: str, code: str = "", result: str = "OK") -> bytes:
        """Return an untagged OK, or NO, BAD, BYE, in the client's language."""
        text = in_language(self.language, text)
        return f"* {result} {coded(text, code)}\r\n".encode()

    def who(self) -> Login:
        if self.login is None:
            raise Bad("Log in first")
        return self.login

    def view(self) -> Selected:
        if self.selected is None:
            raise Bad("No mailbox is selected")
        return self.selected

    def writable(self, rights: str) -> Selected:
        """Return the selection, if it may be changed by one of these rights."""
        selected = self.view()
        if selected.read_only:
            raise No("The mailbox is open read-only", "NOPERM")
        if not set(rights) & set(selected.folder.rights):
            raise No("You may not do this here", "NOPERM")
        return selected

    def use_numbers(self) -> None:
        """Tell no expunges with the running command: they would move its numbers.

        Raises Bad where message numbers are not used any more. RFC 9586.
        """
        if self.uid_only:
            raise Bad("Message numbers are not used here", "UIDREQUIRED")
        self.keeps_numbers = True

    def mark(self, modseq: int) -> None:
        """Note that the selected account has moved on."""
        self.heard = max(self.heard, modseq)

    def changed(self, account_id: int, modseq: int) -> None:
        """Note what this session wrote; another account has a count of its own."""
        if self.selected is not None and self.selected.folder.account_id == account_id:
            self.mark(modseq)

    def leave(self) -> bool:
        """Select nothing; tell whether something was selected."""
        had, self.selected = self.selected, None
        if had is not None and self.notified is not None:
            self.notified.left(had)
        return had is not None

    def look_again(self) -> None:
        """Take it that the selection has changed, whatever was heard."""
        self.synced = -1

    @property
    def stale(self) -> bool:
        """Whether there may be changes that the selection does not hold."""
        return self.selected is not None and (self.polls or self.heard > self.synced)

    @property
    def wishes(self) -> Wishes:
        """What is told of the selected mailbox unasked. RFC 5465 §6.1."""
        return EVERYTHING if self.notified is None else self.notified.wishes

    @property
    def has_moved(self) -> bool:
        """Whether there may be news of mailboxes that are not selected."""
        notified = self.notified
        if notified is None or not notified.told:
            return False
        return self.polls or bool(notified.moved)

    @property
    def has_news(self) -> bool:
        """Whether there may be something to be told unasked."""
        wishes, selected = self.wishes, self.selected
        # Expunges that a command kept back are told at once, if that is wanted.
        owes = wishes.at_once and selected is not None and not selected.aligned
        return (wishes.messages and (self.stale or owes)) or self.has_moved
