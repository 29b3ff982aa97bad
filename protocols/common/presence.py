"""Who is logged in on this process's connections, so that they can be shown and ended.

`credential_revoked` of this process ends sessions at once; what other processes revoke
is heard by the watcher (protocols.common.watcher), which the first session starts.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from django.dispatch import receiver

from accounts.known import Login
from accounts.models import Revocation
from accounts.signals import credential_revoked
from protocols.common.context import ConnectionContext


class Session(Protocol):
    """A connection that somebody has logged in on."""

    @property
    def client(self) -> str:
        """What the program calls itself, as far as it has said."""

    def revoke(self) -> None:
        """End it; called on its loop."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Who is there, and how."""

    context: ConnectionContext
    login: Login
    loop: asyncio.AbstractEventLoop
    since: datetime
    end: asyncio.TimerHandle | None = None  # when what it logged in with expires


class Sessions:
    """The sessions of this process. Any thread may ask."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._entries: WeakKeyDictionary[Session, Entry] = WeakKeyDictionary()
        # Called when there is one: the listener for other processes.
        self.on_first: Callable[[], None] | None = None

    def add(self, session: Session, context: ConnectionContext, login: Login) -> None:
        """Note who has logged in. Called on the session's loop."""
        self.remove(session)
        loop, now = asyncio.get_running_loop(), datetime.now(UTC)
        end = None
        if login.expires_at is not None:
            seconds = max(0.0, (login.expires_at - now).total_seconds())
            end = loop.call_later(seconds, session.revoke)
        with self._guard:
            self._entries[session] = Entry(context, login, loop, now, end)
        if self.on_first is not None:
            self.on_first()

    def remove(self, session: Session) -> None:
        """Note that a session has ended. Called on its loop."""
        with self._guard:
            entry = self._entries.pop(session, None)
        if entry is not None and entry.end is not None:
            entry.end.cancel()

    def all(self) -> list[tuple[Session, Entry]]:
        """Return those that are there."""
        with self._guard:
            return list(self._entries.items())

    def end(self, concerns: Callable[[Entry], bool]) -> None:
        """End those that it concerns, each on its loop."""
        for session, entry in self.all():
            if concerns(entry) and not entry.loop.is_closed():
                entry.loop.call_soon_threadsafe(session.revoke)


sessions = Sessions()


@receiver(credential_revoked, dispatch_uid="protocols.presence")
def revoked(
    user_id: int,
    app_password_id: int | None = None,
    access_token_id: int | None = None,
    **_: Any,
) -> None:
    """End the user's sessions: all, or those of one app password or token."""

    what = {"app_password_id": app_password_id, "access_token_id": access_token_id}
    sessions.end(concerns(Revocation(user_id=user_id, **what)))


def concerns(row: Revocation) -> Callable[[Entry], bool]:
    """Return what tells whether a session has to end."""

    def concerned(entry: Entry) -> bool:
        login = entry.login
        if row.connection_id:
            return entry.context.connection_id == row.connection_id
        if login.user_id != row.user_id:
            return False
        if row.app_password_id is not None:
            return login.app_password_id == row.app_password_id
        return row.access_token_id in {None, login.access_token_id}

    return concerned
