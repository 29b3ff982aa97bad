"""What `build` writes, read back by `parse` and by the standard library."""

import email
import email.policy
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from mailhost.mime import headers
from mailhost.mime.addresses import Address
from mailhost.mime.build import Attachment, build
from mailhost.mime.decode import decode_body, text_of
from mailhost.mime.flowed import flow
from mailhost.mime.message import Parsed
from tests.unit.mime import sound

ALICE = Address("Alice", "alice", "example.org")
BOB = Address("Bób, B.", "bob", "example.net")
WHEN = datetime(2026, 11, 23, 10, 0, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))


def built(**more: Any) -> bytes:
    given: dict[str, Any] = {
        "sender": ALICE,
        "to": [BOB],
        "subject": "Hello",
        "text": "Hi\n",
        "message_id": "1@example.org",
        "date": WHEN,
    }
    return build(**(given | more))


def read(**more: Any) -> Parsed:
    return sound.check(built(**more))


def test_plain_text_is_the_whole_message() -> None:
    assert built(to=[Address("", "bob", "example.net")]) == (
        b"Date: Mon, 23 Nov 2026 10:00:00 -0330\r\n"
        b"From: Alice <alice@example.org>\r\n"
        b"To: bob@example.net\r\n"
        b"Subject: Hello\r\n"
        b"Message-ID: <1@example.org>\r\n"
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: text/plain; charset="us-ascii"; format="flowed"\r\n'
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\nHi\r\n"
    )


def test_what_was_given_comes_back() -> None:
    octets = built(
        cc=[ALICE],
        subject="Grüße " * 20,
        text="Käse\n",
        html="<p>Käse</p>",
        in_reply_to="0@example.org",
        references=["a@x", "0@example.org"],
        headers=[("X-Note", "ä")],
        attachments=[
            Attachment("übersicht.pdf", "application/pdf", bytes(range(256))),
            Attachment("a.png", "image/png", b"png", content_id="i@x", inline=True),
        ],
    )
    parsed = sound.check(octets)
    assert parsed.subject.split() == ["Grüße"] * 20
    assert parsed.to == (BOB,)
    assert (parsed.cc, parsed.from_) == ((ALICE,), (ALICE,))
    assert parsed.references == ("a@x", "0@example.org")
    assert parsed.in_reply_to == ("0@example.org",)
    assert parsed.sent_at == WHEN.astimezone(UTC)
    kinds = [f"{part.type}/{part.subtype}" for part in parsed.root.walk()]
    assert kinds == [
        "multipart/mixed", "multipart/related", "multipart/alternative",
        "text/plain", "text/html", "image/png", "application/pdf",
    ]  # fmt: skip
    plain, file = parsed.root.find("1.1.1"), parsed.root.find("2")
    assert plain is not None
    assert file is not None
    assert text_of(octets[slice(*plain.body)], plain) == "Käse\r\n"
    assert decode_body(octets[slice(*file.body)], file.encoding) == bytes(range(256))
    assert file.filename == "übersicht.pdf"
    library = email.message_from_bytes(octets, policy=email.policy.default)
    assert library["to"].addresses[0].display_name == BOB.name
    names = [part.get_filename() for part in library.walk() if part.get_filename()]
    assert names == ["a.png", "übersicht.pdf"]


def test_bcc_is_written_only_for_drafts() -> None:
    assert read(bcc=[BOB]).bcc == ()
    assert read(bcc=[BOB], keep_bcc=True).bcc == (BOB,)


EVIL = "a\r\nBcc: evil@example.com\r\n\r\nbody\0"


def test_no_value_starts_a_field() -> None:
    octets = built(
        sender=Address(EVIL, EVIL, EVIL),
        to=[Address(EVIL, EVIL, EVIL)],
        subject=EVIL,
        in_reply_to=EVIL,
        references=[EVIL],
        message_id=EVIL,
        headers=[("X-Note", EVIL)],
        attachments=[Attachment(EVIL, EVIL, b"x", content_id=EVIL)],
    )
    parsed = sound.check(octets)
    assert parsed.bcc == ()
    assert headers.get(parsed.header, b"bcc") is None
    for part in parsed.root.walk():
        assert headers.get(octets[slice(*part.header)], b"bcc") is None


@pytest.mark.parametrize("name", ["", "a b", "a:", "ä", "a\r\nb"])
def test_a_bad_field_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="field name"):
        built(headers=[(name, "x")])


def test_lines_are_short_whatever_is_given() -> None:
    octets = built(
        subject="x" * 5000,
        text="y" * 5000,
        to=[Address("n" * 2000, "l" * 2000, "h")],
        headers=[("X-Long", "z" * 3000)],
    )
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert sound.check(octets).subject == "x" * 5000


FLOWED = [
    # RFC 3676 §4.1, §4.3, §4.4
    ("a" * 40 + " " + "b" * 40, "a" * 40 + " \r\n" + "b" * 40 + "\r\n"),
    ("end  ", "end\r\n"),
    ("-- ", "-- \r\n"),
    ("From me", " From me\r\n"),
    (" indented", "  indented\r\n"),
    ("> quoted ", "> quoted\r\n"),
    ("a\nb\r\nc\rd\n\n", "a\r\nb\r\nc\r\nd\r\n\r\n"),
    ("x" * 200, "x" * 200 + "\r\n"),
]


@pytest.mark.parametrize(("text", "lines"), FLOWED)
def test_flowed(text: str, lines: str) -> None:
    assert flow(text) == lines


def test_a_forwarded_message_stays_as_it_is() -> None:
    inner = b"Subject: in\r\n\r\n--=_x\r\nbody \xc3\xa4\r\n"
    octets = built(attachments=[Attachment("", "message/rfc822", inner)])
    part = sound.check(octets).root.find("2")
    assert part is not None
    assert octets[slice(*part.body)] == inner
    assert (part.is_message, part.encoding) == (True, "8bit")


def test_a_message_that_no_line_holds_is_a_file() -> None:
    # RFC 2046 §5.2.1: message/rfc822 has no base64.
    inner = b"Subject: in\r\n\r\n" + b"x" * 1200
    octets = built(attachments=[Attachment("a.eml", "message/rfc822", inner)])
    part = sound.check(octets).root.find("2")
    assert part is not None
    assert (part.type, part.subtype, part.encoding) == (
        "application", "octet-stream", "base64",
    )  # fmt: skip
    assert decode_body(octets[slice(*part.body)], part.encoding) == inner


def test_a_delivery_report() -> None:
    # RFC 3462 §2, RFC 3464 §2
    status = b"Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; a@b\r\n"
    octets = built(
        report="delivery-status",
        attachments=[
            Attachment("", "message/delivery-status", status),
            Attachment("", "text/rfc822-headers", b"Subject: lost\r\n"),
        ],
    )
    root = sound.check(octets).root
    assert (root.subtype, dict(root.parameters)["report-type"]) == (
        "report", "delivery-status",
    )  # fmt: skip
    assert octets[slice(*root.children[1].body)] == status


def test_the_same_arguments_give_the_same_octets() -> None:
    assert built(html="<p>a</p>") == built(html="<p>a</p>")
