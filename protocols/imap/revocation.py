"""Sessions by user, so that those whose credentials are revoked end. See accounts."""

import functools
import threading
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakSet

from django.dispatch import receiver

from accounts.signals import credential_revoked


class Revocable(Protocol):
    """A live session."""

    app_password_id: int | None

    def revoke(self) -> None:
        """End it; called on its loop."""

    def call_on_loop(self, fn: Any) -> None:
        """Call `fn` on its loop."""


_guard = threading.Lock()
_sessions: dict[int, "WeakSet[Revocable]"] = {}
_users: "WeakKeyDictionary[Revocable, int]" = WeakKeyDictionary()


def remember(user_id: int, session: Revocable) -> None:
    """Note who is logged in."""
    with _guard:
        _sessions.setdefault(user_id, WeakSet()).add(session)
        _users[session] = user_id


def forget(session: Revocable) -> None:
    """Note that a session has ended."""
    with _guard:
        user_id = _users.pop(session, None)
        if user_id is None:
            return
        _sessions[user_id].discard(session)
        if not _sessions[user_id]:
            del _sessions[user_id]


@receiver(credential_revoked, dispatch_uid="protocols.imap.revocation")
def revoked(user_id: int, app_password_id: int | None = None, **_: Any) -> None:
    """End the user's sessions: all, or those of one app password."""
    with _guard:
        sessions = list(_sessions.get(user_id, ()))
    for session in sessions:
        if app_password_id is None or session.app_password_id == app_password_id:
            session.call_on_loop(functools.partial(session.revoke))
