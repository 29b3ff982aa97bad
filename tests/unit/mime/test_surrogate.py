"""A header in ASCII, as long as it was, that says the same."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailhost.mime import words
from mailhost.mime.addresses import parse_addresses
from mailhost.mime.headers import block_end, get
from mailhost.mime.parameters import content_type
from mailhost.mime.surrogate import surrogate

TRACE = b"Received: from a by b; " + b"x" * 60 + b"\r\n\t" + b"y" * 60 + b"\r\n"


def made(*lines: str | bytes, trace: int = 2) -> bytes:
    fields = [line.encode() if isinstance(line, str) else line for line in lines]
    return TRACE * trace + b"".join(f + b"\r\n" for f in fields) + b"\r\n"


def changed(*lines: str | bytes, trace: int = 2) -> bytes:
    header = made(*lines, trace=trace)
    found = surrogate(header)
    assert found.isascii()
    assert len(found) == len(header)
    assert block_end(found, 0, len(found)) == len(found)
    assert max(map(len, found.split(b"\r\n"))) <= 998
    return found


def value(header: bytes, name: bytes) -> bytes:
    found = get(header, name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text", ["grün", "日本語の件名" * 12, "ä" * 300, "café \U0001f600"]
)
def test_a_subject_says_the_same(text: str) -> None:
    found = changed(f"Subject: {text}", "From: a@b.test", trace=20)
    assert words.decode(value(found, b"Subject")) == text
    assert b"From: a@b.test\r\n" in found


def test_latin_1_is_read_as_others_read_it() -> None:
    found = changed(b"Subject: gr\xfcn")
    assert words.decode(value(found, b"subject")) == "grün"


def test_people_keep_their_addresses() -> None:
    found = changed('To: Bö Bär <b@far.test>, c@far.test, "D, É" <d@grün.test>')
    people = parse_addresses(value(found, b"To"))
    assert [(p.name, p.addr) for p in people] == [
        ("Bö Bär", "b@far.test"), ("", "c@far.test"), ("D, É", "d@xn--grn-ioa.test"),
    ]  # fmt: skip


def test_an_address_that_cannot_be_ascii_is_a_name() -> None:
    found = changed("From: Jö <jö@far.test>")
    assert parse_addresses(value(found, b"From")) == ()
    assert words.decode(value(found, b"From")) == "Jö <jö@far.test> :;"


def test_names_of_files() -> None:
    found = changed('Content-Type: application/pdf; name="Übersicht.pdf"')
    assert content_type(value(found, b"Content-Type")).get("name") == "Übersicht.pdf"


def test_what_is_compared_is_only_masked() -> None:
    found = changed("Message-ID: <ä@x>", "Subject: plain", trace=0)
    assert found == b"Message-ID: <??@x>\r\nSubject: plain\r\n\r\n"


def test_signatures_go_before_traces() -> None:
    signature = b"DKIM-Signature: v=1; b=" + b"s" * 80
    found = changed(signature, "Subject: ä", trace=1)
    assert b"DKIM" not in found
    assert TRACE in found


def test_without_room_it_is_masked() -> None:
    assert changed("Subject: ä", trace=0) == b"Subject: ??\r\n\r\n"


def test_ascii_is_left_alone() -> None:
    header = made("Subject: x")
    assert surrogate(header) is header


LINE = st.sampled_from(
    [
        *(b"Subject: \xc3\xa4", b"From: \xff <a@b>", b"To: \xc3\xa4@\xc3\xa4, x"),
        *(b"\xe4", b"", b" \xc3\xa4 folded", b"X-A: b", b"Received: x" * 9),
        *(b"Cc: (\xc3\xa4", b"From x\xe4", b"Content-Type: a/b; name*0=\xe4"),
        *(b"N" * 90 + b": \xe4", b": \xe4", b"A:\xe4\r"),
    ]
)
LINES = st.lists(LINE | st.binary(max_size=12), max_size=9)


@settings(deadline=None)
@given(LINES, st.sampled_from([b"\r\n", b"\n"]))
@example([b"From x\xe4", b"Subject: \xc3\xa4"], b"\n")
def test_whatever_comes(lines: list[bytes], end: bytes) -> None:
    octets = end.join(lines) + end
    header = octets[: block_end(octets, 0, len(octets))]
    found = surrogate(header)
    assert found.isascii()
    assert len(found) == len(header)
    names = re.compile(rb"^(?:subject|from|to):", re.IGNORECASE | re.MULTILINE)
    assert len(names.findall(found)) == len(names.findall(header))
