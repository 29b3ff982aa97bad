"""Arbitrary octets: everything in mime reads them, and what it yields is sound."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailhost.mime import headers, subjects, words
from mailhost.mime.addresses import Address, parse_addresses
from mailhost.mime.build import Attachment, build
from mailhost.mime.charsets import decode_text
from mailhost.mime.dates import parse_date
from mailhost.mime.decode import decode_body, text_of
from mailhost.mime.html import to_text
from mailhost.mime.message import parse
from mailhost.mime.parameters import content_type, disposition
from mailhost.mime.search_text import body_texts, part_fields
from tests.unit.mime import sound

# What messages are made of, so that chance finds the grammar.
PIECES = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\0", b" ", b"\t", b"\xe4", "ä€".encode(),
    b"From: ", b"To: ", b"Subject: ", b"Date: Mon, 1 Jan 2024 00:00:60 -2359\r\n",
    b"Content-Type: ", b"Content-Disposition: attachment; filename=",
    b"Content-Transfer-Encoding: base64\r\n", b"Content-ID: <a>\r\n",
    b"multipart/mixed; boundary=b\r\n", b"multipart/digest; boundary=\"b b\"\r\n",
    b"message/rfc822\r\n", b"text/html; charset=utf-7\r\n", b"--b\r\n", b"--b--\r\n",
    b"--b b\r\n", b"--", b"From x\r\n", b"References: <a@b> <c>\r\n",
    b"=?utf-8?q?=C3?=", b"=?x?b?w6Q?=", b"=?utf-7?b?K9gA?=", b"=?", b"?=",
    b"; name*0*=utf-8''%C3", b"; name*1=x", b"; name=\"", b"(", b")", b"<", b">",
    b"@", b",", b";", b":", b'"', b"\\", b"[", b"]", b"a", b"&#", b"&amp;", b"<!--",
    b"<style>", b"<p>", b"Content-Language: de, en\r\n", b"Content-MD5: x\r\n",
]  # fmt: skip
OCTETS = st.binary(max_size=200) | st.lists(
    st.sampled_from(PIECES) | st.binary(max_size=6), max_size=60
).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(OCTETS)
def test_any_octets_are_a_message(octets: bytes) -> None:
    parsed = sound.check(octets)
    for text in body_texts(lambda a, b: octets[a:b], parsed.root):
        sound.check_text(text)
    for _, value in part_fields(lambda a, b: octets[a:b], parsed.root):
        sound.check_text(value)
    for part in parsed.root.walk():
        sound.check_text(text_of(octets[slice(*part.body)], part))


READERS: list[Callable[[bytes], object]] = [
    words.decode,
    parse_addresses,
    parse_date,
    lambda octets: content_type(octets).pairs,
    lambda octets: content_type(b"text/plain; " + octets).pairs,
    lambda octets: disposition(octets).pairs,
    lambda octets: decode_text(octets, "utf-7"),
    lambda octets: decode_text(octets, octets.decode("latin-1")),
    lambda octets: to_text(octets.decode("latin-1")),
    lambda octets: subjects.base_subject(words.decode(octets)),
    lambda octets: [decode_body(octets, e) for e in ("base64", "x-uuencode", "x")],
    lambda octets: decode_body(octets, "quoted-printable"),
    lambda octets: decode_body(b"begin 644 x\n" + octets, "x-uuencode"),
]


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=100, deadline=None)
@given(octets=OCTETS)
def test_any_octets_are_read(reader: Callable[[bytes], object], octets: bytes) -> None:
    found = reader(octets)
    if not isinstance(found, bytes | list):
        sound.check_text(found)


@settings(max_examples=300, deadline=None)
@given(OCTETS, st.sets(st.sampled_from([b"from", b"to", b"subject", b"x", b""])))
def test_select_is_a_filter_of_fields(octets: bytes, names: set[bytes]) -> None:
    header = parse(octets).header
    for exclude in (False, True):
        got = headers.select(header, names, exclude=exclude)
        wanted = [
            (name, value)
            for name, value in headers.fields(header)
            if (name.lower() in names) != exclude
        ]
        assert headers.fields(got) == wanted
        assert got.endswith(b"\r\n")
        assert got == b"\r\n" or got[:-2] in b"\n" + header + b"\n" or len(wanted) > 1


@settings(max_examples=200, deadline=None)
@given(OCTETS)
def test_fields_and_get_agree(octets: bytes) -> None:
    for name, _ in headers.fields(octets):
        found = headers.get_all(octets, name)
        assert found
        assert headers.get(octets, name) == found[0]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=150))
def test_encoded_text_comes_back(text: str) -> None:
    octets = words.encode(text)
    assert octets.isascii()
    assert b"\n" not in octets
    wanted = text.encode("utf-8", "replace").decode()
    assert words.decode(octets) == words.CONTROLS.sub(" ", wanted)


TEXT = st.text(max_size=60) | st.sampled_from(["a\r\nBcc: x@y", "\n\nbody", '"<>,;:'])
PEOPLE = st.builds(Address, TEXT, TEXT, TEXT)
FILES = st.builds(
    Attachment,
    TEXT,
    st.sampled_from(
        ["image/png", "message/rfc822", "text/plain; a=b", "x", "multipart/x"]
    ),
    OCTETS,
    TEXT,
    st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(
    PEOPLE, st.lists(PEOPLE, max_size=3), TEXT, TEXT, TEXT, st.lists(FILES, max_size=3)
)
def test_what_is_built_is_well_formed(
    sender: Address,
    to: list[Address],
    subject: str,
    text: str,
    html: str,
    files: list[Attachment],
) -> None:
    octets = build(
        sender=sender,
        to=to,
        subject=subject,
        text=text,
        html=html,
        attachments=files,
        in_reply_to=subject,
        references=[subject, text],
        message_id=subject,
        date=datetime(2026, 11, 23, tzinfo=UTC),
        headers=[("X-Note", text)],
    )
    parsed = sound.check(octets)
    names = [name for name, _ in headers.fields(parsed.header)]
    assert len(names) == len(set(names))
    assert set(names) <= {
        b"Date", b"From", b"To", b"Subject", b"Message-ID", b"In-Reply-To",
        b"References", b"X-Note", b"MIME-Version", b"Content-Type",
        b"Content-Transfer-Encoding",
    }  # fmt: skip
    assert octets.count(b"\n") == octets.count(b"\r") == octets.count(b"\r\n")
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    parts = [part for part in parsed.root.walk() if not part.children]
    assert len(parts) >= 1 + bool(html) + len(files)
