"""What one connection knows. The state follows from it."""

from dataclasses import dataclass
from enum import Flag, auto

from django.conf import settings

from protocols.common.wording import DEFAULT
from protocols.pop3.maildrop import Maildrop
from protocols.sasl import At, Exchange


class State(Flag):
    """RFC 1939 §3; there is no UPDATE state, QUIT is answered behind it."""

    AUTHORIZATION = auto()
    TRANSACTION = auto()


@dataclass(slots=True)
class Session:
    """A maildrop exists: TRANSACTION."""

    may_log_in: bool
    offers_stls: bool
    user: str | None = None  # said with USER, not checked yet
    exchange: Exchange | None = None  # an AUTH in progress
    at: At = At(protocol="pop3")  # noqa: RUF009 -- frozen
    utf8: bool = False  # RFC 6856 §2.1
    language: str = DEFAULT  # RFC 6856 §3
    failures: int = 0
    maildrop: Maildrop | None = None
    ended: bool = False

    @property
    def state(self) -> State:
        """Where the conversation stands."""
        return State.AUTHORIZATION if self.maildrop is None else State.TRANSACTION

    @property
    def raw_headers(self) -> str:
        """What to do with 8-bit header fields: send, surrogate or refuse."""
        return "send" if self.utf8 else str(settings.POP3_RAW_HEADERS)

    @property
    def drop(self) -> Maildrop:
        """The maildrop; only the table's rows of TRANSACTION come here."""
        assert self.maildrop is not None
        return self.maildrop
