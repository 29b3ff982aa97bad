"""The welcome messages of the demo: one of each shape a mail reader must show."""

import binascii
import struct
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from mailhost.mailfiles import Found
from mailhost.mime.addresses import Address
from mailhost.mime.build import Attachment, build
from mailhost.store import flags

PAGE = """<!doctype html><html><body style="font-family: sans-serif">
<h1 style="color: #205493">Welcome</h1>
<p>This message has a <b>page</b>, a plain text for those who prefer it,
and a picture inside:</p>
<p><img src="cid:stripes@example.test" alt="stripes" width="96" height="48"></p>
<p>Links <a href="https://www.example.org/">look like this</a>.</p>
</body></html>
"""
NOTES = "name,weight\nörange,180\napple,150\n".encode()


def letters(email: str, name: str) -> Iterator[Found]:
    """Yield the messages for one person, oldest first."""
    now = timezone.now().replace(microsecond=0)
    me = _address(name, email)
    host = _address("mailhost", "postmaster@example.test")
    bob = _address("Bob Bauer", "bob@example.test")
    yasmin = _address("ياسمين", "yasmin@example.test")

    def letter(
        number: int,
        sender: Address,
        subject: str,
        text: str,
        html: str = "",
        attachments: Sequence[Attachment] = (),
    ) -> Found:
        date: datetime = now - timedelta(hours=5 - number)
        octets = build(
            sender=sender,
            to=[me],
            subject=subject,
            text=text,
            message_id=f"welcome-{number}.{email.replace('@', '.')}@example.test",
            date=date,
            html=html,
            attachments=attachments,
        )
        return Found(octets, flags.SEEN if number == 1 else 0, (), date)

    yield letter(
        1,
        host,
        "Welcome to mailhost",
        f"Hello {name},\n\nthis mailbox is yours. It opens in the browser, and in any"
        " mail program by IMAP or POP3.\n\nThe same message is seen everywhere at the"
        " same moment.\n",
    )
    yield letter(
        2,
        host,
        "A page with a picture",
        "Welcome. This is the plain text beside the page.\n",
        html=PAGE,
        attachments=[
            Attachment(
                "stripes.png", "image/png", stripes(), "stripes@example.test", True
            )
        ],
    )
    yield letter(
        3,
        bob,
        "The list, attached",
        "Hi,\n\nthe list is attached.\n\nBob\n",
        attachments=[Attachment("früchte.csv", "text/csv; charset=utf-8", NOTES)],
    )
    yield letter(
        4,
        yasmin,
        "Привет, こんにちは, مرحبا",
        "Добро пожаловать.\nようこそ。\nأهلاً وسهلاً.\nGrüß Gott, schönen Tag.\n",
    )


def _address(name: str, email: str) -> Address:
    mailbox, _, host = email.partition("@")
    return Address(name, mailbox, host)


def stripes(width: int = 96, height: int = 48) -> bytes:
    """Return a small PNG, made here so that no file need be shipped."""
    rows = b"".join(
        b"\0" + b"".join(_colour(x // 12) for x in range(width)) for _ in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc(kind + data))
        for kind, data in chunks
    )


def _colour(stripe: int) -> bytes:
    return b"\x20\x54\x93" if stripe % 2 else b"\xe8\xb4\x1c"


def crc(octets: bytes) -> int:
    """Return the check sum of a PNG chunk."""
    return binascii.crc32(octets)
