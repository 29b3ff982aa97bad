"""Mail from files: every form, its dates and flags, octets with CRLF."""

import io
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailhost import mailfiles, mboxes
from mailhost.store import flags as f

FIRST = "From: a@x\nDate: Mon, 1 Jan 2024 10:00:00 +0100\nSubject: one\n\nHello\n"
SECOND = (
    "From: b@x\nStatus: RO\nX-Status: AF\nX-Keywords: $Forwarded work\n\n>From me\n"
)
MBOX = (
    "From a@x Mon Jan  1 09:00:01 2024\n"
    + FIRST
    + "\nFrom b@x Tue Feb 29 23:59:59 +0000 2000\n"
    + SECOND
    + "\n"
)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_mbox(tmp_path: Path, end: str) -> None:
    file = tmp_path / "old.mbox"
    file.write_bytes(MBOX.replace("\n", end).encode())
    (source,) = mailfiles.sources(file)
    one, two = source.read(0)
    assert one.octets == FIRST.replace("\n", "\r\n").encode()
    assert one.date == datetime(2024, 1, 1, 9, 0, 1, tzinfo=UTC)
    assert one.flags == 0
    # What the mbox said of flags is no part of the message.
    assert two.octets == b"From: b@x\r\n\r\nFrom me\r\n"
    assert two.date == datetime(2000, 2, 29, 23, 59, 59, tzinfo=UTC)
    assert two.flags == f.SEEN | f.ANSWERED | f.FLAGGED
    assert two.keywords == ("$Forwarded", "work")
    assert two.progress == source.size


def test_a_from_inside_a_paragraph_is_text(tmp_path: Path) -> None:
    file = tmp_path / "box"
    file.write_text("From a@x Mon Jan  1 09:00:01 2024\nA: b\n\nHi\nFrom here on\n\n")
    (source,) = mailfiles.sources(file)
    (one,) = source.read(0)
    assert one.octets == b"A: b\r\n\r\nHi\r\nFrom here on\r\n"


def test_a_maildir_with_folders(tmp_path: Path) -> None:
    for folder in ("", ".Sent", ".Work.2024"):
        for part in ("cur", "new", "tmp"):
            (tmp_path / folder / part).mkdir(parents=True)
    seen = tmp_path / "cur" / "1:2,FPRST"
    seen.write_text(FIRST)
    os.utime(seen, (1_000_000_000, 1_000_000_000))
    (tmp_path / "new" / "2").write_text(FIRST)
    (tmp_path / "tmp" / "3").write_text(FIRST)
    (tmp_path / ".Sent" / "cur" / "4:2,S").write_text(FIRST)
    found = {
        source.folder: list(source.read(0)) for source in mailfiles.sources(tmp_path)
    }
    assert sorted(found) == ["", "Sent", "Work/2024"]
    assert [one.flags for one in found[""]] == [
        f.FLAGGED | f.ANSWERED | f.SEEN | f.DELETED,
        0,
    ]
    assert found[""][0].date == datetime.fromtimestamp(1_000_000_000, UTC)
    assert found[""][0].keywords == ("$Forwarded",)
    assert [one.flags for one in found["Sent"]] == [f.SEEN]


def test_eml_files(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.eml").write_text(FIRST)
    (tmp_path / "b.eml").write_text("no header")
    (source,) = mailfiles.sources(tmp_path)
    dates = {one.octets: one.date for one in source.read(0)}
    assert dates[FIRST.replace("\n", "\r\n").encode()] == datetime(
        2024, 1, 1, 9, tzinfo=UTC
    )
    assert dates[b"no header"] is not None


@pytest.mark.parametrize("name", ["", "file.txt", "absent"])
def test_what_is_no_mail_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").write_text("hello")
    with pytest.raises(ValueError, match="is no mbox, Maildir or"):
        mailfiles.sources(tmp_path / name)


LONG = "From: c@x\nSubject: long\n\n" + "x" * 70_000 + "\n" * 3


@pytest.mark.parametrize("block", [1, 7, 1000, 1 << 20])
def test_an_mbox_is_read_in_blocks_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(mboxes, "BLOCK", block)
    text = (MBOX + "From c@x Mon Jan  1 09:00:01 2024\n" + LONG[:200] + "\n\n").encode()
    whole = list(mailfiles.in_mbox(io.BytesIO(text), 0))
    assert len(whole) == 3
    for number, one in enumerate(whole):
        rest = list(mailfiles.in_mbox(io.BytesIO(text), one.progress))
        assert rest == whole[number + 1 :]


def test_a_message_that_is_too_large_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mboxes, "BLOCK", 1000)
    text = f"From c@x Mon Jan  1 09:00:01 2024\n{LONG}\n{MBOX}".encode()
    large, one, two = mailfiles.in_mbox(io.BytesIO(text), 0, 10_000)
    assert large.is_large
    assert large.octets == b""
    assert [one.is_large, two.is_large] == [False, False]
    assert two.progress == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "A: b\n\nFrom me\n>From him\n>>From her\nx From\n",
        "A: b\n\nno end",
        "A: b\n\n\nFrom x\n\n\n",
        "\nFrom the start\n",
        "A: b\n c\n\nÄ" + "y" * 5000,
    ],
)
def test_what_is_written_reads_the_same(text: str) -> None:
    octets = text.replace("\n", "\r\n").encode()
    date = datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC)
    bits, words = f.SEEN | f.FLAGGED | f.DRAFT, ("work", "$Forwarded")
    for size in (1, 3, 8192):
        chunks = (octets[n : n + size] for n in range(0, len(octets), size))
        pieces = list(mboxes.written(chunks, "a b\n@x", date, bits, words))
        (found,) = mailfiles.in_mbox(io.BytesIO(b"".join(pieces)), 0)
        assert found.octets.rstrip(b"\r\n") == octets.rstrip(b"\r\n")
        assert (found.flags, found.keywords, found.date) == (bits, words, date)
