"""The websocket: who may open it, what it says, when it closes."""

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref import testing
from django.conf import settings
from django.test import Client

from mailhost.store import changes
from mailhost.webmail import consumers
from tests.unit.webmail.conftest import Box

pytestmark = pytest.mark.django_db(transaction=True)
OURS = b"http://mail.test"


@pytest.fixture(autouse=True)
def threads_end() -> Iterator[None]:
    from mailhost.store.gate import gate

    yield
    gate.stop()


@pytest.fixture
def session(alice: Any) -> str:
    client = Client()
    client.force_login(alice)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


# asgiref.testing has no types.
Communicator: Any = testing.ApplicationCommunicator


class Tab(Communicator):  # type: ignore[misc]
    """The browser's end; channels' own helper wants daphne."""

    async def connect(self) -> tuple[bool, int | None]:
        """Return whether it was accepted, and the code if it was not."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(timeout=3)
        return answer["type"] == "websocket.accept", answer.get("code")

    async def hear(self) -> Any:
        return (await self.receive_output(timeout=3)).get("text")

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=3)


def opened(session: str, origin: bytes = OURS) -> Tab:
    cookie = f"{settings.SESSION_COOKIE_NAME}={session}".encode()
    headers = [(b"host", b"mail.test"), (b"origin", origin), (b"cookie", cookie)]
    scope = {"type": "websocket", "path": "/ws/changes/", "headers": headers}
    return Tab(consumers.Changes.as_asgi(), scope)


async def test_it_tells_that_the_account_changed(session: str, box: Box) -> None:
    page = opened(session)
    assert (await page.connect())[0]
    changes.publish(box.account_id, 1001)
    assert await page.hear() == "changed"
    await page.disconnect()


async def test_it_watches_no_strangers_account(
    session: str, box: Box, stranger: Any
) -> None:
    page = opened(session)
    await page.connect()
    assert changes.hub.watched() == [box.account_id]
    await page.disconnect()
    assert changes.hub.watched() == []


@pytest.mark.parametrize(
    "origin", [b"", b"null", b"http://evil.test", b"http://mail.test.evil.test"]
)
async def test_another_sites_page_gets_nothing(session: str, origin: bytes) -> None:
    assert await opened(session, origin).connect() == (False, consumers.STRANGER)


@pytest.mark.parametrize("forged", ["", "x" * 32])
async def test_without_a_session_there_is_nothing(alice: Any, forged: str) -> None:
    assert await opened(forged).connect() == (False, consumers.REVOKED)


async def test_a_new_password_closes_it(session: str, box: Box) -> None:
    from asgiref.sync import sync_to_async

    page = opened(session)
    await page.connect()

    def change() -> None:
        box.user.set_password("another horse")
        box.user.save()

    await sync_to_async(change)()
    consumers.revoked(user_id=box.user.pk)
    closed = await page.receive_output(timeout=2)
    assert closed == {"type": "websocket.close", "code": consumers.REVOKED}


async def test_all_are_told_when_the_server_goes(session: str) -> None:
    page = opened(session)
    await page.connect()
    await consumers.close_all()
    closed = await page.receive_output(timeout=2)
    assert closed == {"type": "websocket.close", "code": 1001}
    await page.disconnect()
