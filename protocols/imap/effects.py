"""What a command asks of whoever drives it; the result comes back into the generator.

An exception of the function is raised in the command, at its yield.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.claims import Claim, Salted
from accounts.known import Login


@dataclass(frozen=True, slots=True)
class Read:
    """Run `fn(*args)` where SQL may be read. Result: what it returns.

    `brief`: it asks for a few rows, by `sql.rows` alone, or raises NotBrief: it may be
    run on the event loop first.
    """

    fn: Callable[..., Any]
    args: tuple[Any, ...] = ()
    brief: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """Run `fn(*args)` in a transaction that holds these accounts; wait for the commit.

    `soft`: only flags change (see gate.write).
    """

    accounts: Sequence[int]
    fn: Callable[..., Any]
    args: tuple[Any, ...] = ()
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Prepare:
    """Parse and hash a message. Result: content.Prepared.

    A large one is a function that reads it, called when its turn has come.
    """

    octets: bytes | Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Check:
    """Have a claim checked. Result: accounts.auth's Login; raises LoginRefused.

    Of Salted: scram.Parameters.
    """

    claim: Claim | Salted


@dataclass(frozen=True, slots=True)
class Await:
    """Nothing more can be done until the client has sent more.

    `line`: a command wants the next line, which is its result, without its end.
    `changes`: resume with None as well when there may be news.
    """

    line: bool = False
    changes: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """Call `session.mark` on each change of this account from now on; None: of none."""

    account_id: int | None


@dataclass(frozen=True, slots=True)
class Listen:
    """Call `session.notified.hear` on each change of these accounts, and no others."""

    account_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait: a guess of a password costs its connection time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class StartTls:
    """Begin the TLS handshake; what the client sent before it is gone."""


@dataclass(frozen=True, slots=True)
class Compress:
    """Compress both ways from here on, what came in and was not taken included."""


@dataclass(frozen=True, slots=True)
class Decompress:
    """Compress no longer; what comes in is plain behind the end of its stream."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Somebody is logged in: the longer timeout holds; they may be logged out."""

    login: Login


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """Nobody is logged in any more: the time to log in begins anew."""


Effect = (
    Read | Write | Prepare | Check | Await | Watch | Listen | Pause | StartTls
    | Compress | Decompress | LoggedIn | LoggedOut
)  # fmt: skip

# Octets for the client, or an effect; what is sent in is the effect's result.
Steps = Generator[bytes | Effect, Any, None]
