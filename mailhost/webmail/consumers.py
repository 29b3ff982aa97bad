"""Live updates: tells a page that an account changed, never what.

The page then asks for its list again, and every right is looked at there. Session and
Origin are looked at on connect, the session again before each word that is said and
when a credential is revoked.
"""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.dispatch import receiver
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare
from typing_extensions import override

from accounts.models import User
from accounts.signals import credential_revoked
from mailhost.store import changes, rights
from mailhost.store.gate import gate

# Changes within this time are told as one.
TOGETHER_SECONDS = 0.15
MOST_ACCOUNTS = 100  # watched by one page
GOING_AWAY, REVOKED, STRANGER = 1001, 4401, 4403

_open: set["Changes"] = set()


class Changes(AsyncWebsocketConsumer):  # type: ignore[misc] # channels has no types
    """One browser tab."""

    user_id: int = 0
    cookie: str = ""

    @override
    async def connect(self) -> None:
        self.watches: list[changes.Watch] = []
        self.telling: asyncio.Task[None] | None = None
        self.loop = asyncio.get_running_loop()
        headers = dict(self.scope["headers"])
        if not is_same_origin(headers):
            await self.close(STRANGER)
            return
        cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
        self.cookie = cookies.get(settings.SESSION_COOKIE_NAME, "")
        user_id = await gate.read(user_of, self.cookie)
        if user_id is None:
            await self.close(REVOKED)
            return
        self.user_id = user_id
        # Watching before accepting: what the page asks for after that, it misses none.
        for account in (await gate.read(rights.accounts_seen_by, user_id))[
            :MOST_ACCOUNTS
        ]:
            self.watches.append(changes.watch(account.id, self.changed))
        _open.add(self)
        await self.accept()

    @override
    async def disconnect(self, code: int) -> None:
        _open.discard(self)
        for watch in self.watches:
            watch.close()
        if self.telling is not None:
            self.telling.cancel()

    @override
    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        """Listen to nothing: a page has nothing to say here."""

    def changed(self, account_id: int, modseq: int) -> None:
        """Hear of a commit; on the event loop."""
        if self.telling is None or self.telling.done():
            self.telling = asyncio.ensure_future(self.tell())

    async def tell(self) -> None:
        """Say once that something changed, if the session still stands."""
        await asyncio.sleep(TOGETHER_SECONDS)
        # From here on the next commit makes a task of its own.
        self.telling = None
        if await gate.read(user_of, self.cookie) != self.user_id:
            await self.close(REVOKED)
            return
        await self.send(text_data="changed")


def is_same_origin(headers: dict[bytes, bytes]) -> bool:
    """Tell whether a page of this very host opened the websocket."""
    origin = urlsplit(headers.get(b"origin", b"").decode("latin-1"))
    host = headers.get(b"host", b"").decode("latin-1").lower()
    return origin.scheme in {"http", "https"} and origin.netloc.lower() == host != ""


def user_of(session_key: str) -> int | None:
    """Return whose session this is, if it stands; writes nothing."""
    if not session_key:
        return None
    session: Any = SessionStore(session_key)
    user_id = session.get(SESSION_KEY)
    user = User.objects.filter(pk=user_id or 0, is_active=True).first()
    if user is None:
        return None
    expected = user.get_session_auth_hash()
    stands = constant_time_compare(session.get(HASH_SESSION_KEY, ""), expected)
    return user.pk if stands else None


async def close_all(code: int = GOING_AWAY) -> None:
    """Close every websocket of this process: before it stops. RFC 6455 §7.4.1."""
    closing = [consumer.close(code) for consumer in list(_open)]
    await asyncio.gather(*closing, return_exceptions=True)


@receiver(credential_revoked, dispatch_uid="webmail.consumers")
def revoked(user_id: int, **_: Any) -> None:
    """Look again at the sessions of a user whose credentials changed."""
    for consumer in [c for c in _open if c.user_id == user_id]:
        consumer.loop.call_soon_threadsafe(consumer.changed, 0, 0)
