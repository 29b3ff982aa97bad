"""What a test finds in a person's INBOX."""

from asgiref.sync import sync_to_async
from django.db import connections

from accounts.models import User
from mailhost.mail.models import BlobChunk, Message
from mailhost.store.gate import gate


def _messages(email: str) -> list[bytes]:
    account = User.objects.get(email=email).account
    rows = Message.objects.filter(account=account, folder__role="inbox")
    return [
        b"".join(
            bytes(c.octets)
            for c in BlobChunk.objects.filter(blob=row.content.blob).order_by("number")
        )
        for row in rows.select_related("content__blob").order_by("uid")
    ]


async def messages(email: str) -> list[bytes]:
    """The octets of each message, oldest first."""
    return await sync_to_async(_messages)(email)


async def close() -> None:
    """End the gate, and the thread's connection that asynchronous queries used."""
    await gate.close()
    await sync_to_async(connections.close_all)()
