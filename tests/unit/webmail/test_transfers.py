"""Mail in files: out of folders and in again, hostile archives, kills and strangers."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client, override_settings

from accounts.models import User
from mailhost import importing, mailfiles, mailzips
from mailhost.jobs.runner import run_due
from mailhost.store import append, flags, folders, read
from mailhost.store.content import prepare
from mailhost.store.gate import gate
from mailhost.webmail.models import Transfer, TransferChunk
from mailhost.webmail.transfers import running, uploads
from tests.unit.webmail.conftest import PLAIN, Box

POSTMARK = "From x@y Mon Jan  1 09:00:01 2024\n"


def mbox(count: int, size: int = 10) -> bytes:
    one = "Message-ID: <{0}@far.test>\nSubject: {0}\nStatus: RO\nX-Status: F\n\n{1}\n\n"
    text = "".join(POSTMARK + one.format(n, "x" * size) for n in range(count))
    return text.encode()


def zipped(entries: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, octets in entries.items():
            archive.writestr(zipfile.ZipInfo(name), octets, how)
    return out.getvalue()


def bring(
    page: Client, box: Box, octets: bytes, name: str = "old.mbox", folder: str = "Old"
) -> Any:
    """Upload a file as the browser does; return the last answer."""
    fields = {"account": box.account_id, "folder": folder, "name": name}
    begun = page.post("/carry/begin/", fields | {"size": len(octets)})
    if begun.status_code != 200:
        return begun
    place = f"/carry/{begun.json()['number']}/"
    for at in range(0, len(octets), uploads.PIECE):
        piece = octets[at : at + uploads.PIECE]
        kind = "application/octet-stream"
        sent = page.post(f"{place}piece/?at={at}", piece, content_type=kind)
        assert sent.status_code == 200
    return page.post(f"{place}end/")


def told(page: Client, url: str) -> bytes:
    answered: Any = page.get(url)
    assert answered.status_code == 200, url
    assert "attachment" in answered["Content-Disposition"]
    return b"".join(answered.streaming_content)


def count(box: Box, name: str) -> int:
    return folders.open_folder(box.account_id, name).messages


@pytest.mark.engines
def test_an_mbox_is_taken_in(box: Box, page: Client) -> None:
    assert bring(page, box, mbox(700, 3000)).status_code == 200
    run_due()
    row = Transfer.objects.get()
    assert (row.state, row.stored, row.done) == ("done", 700, row.total)
    assert not TransferChunk.objects.exists()
    uids = box.uids("Old")
    assert count(box, "Old") == 700
    ((octets),) = read.octets_of(box.folder("Old"), uids[:1]).values()
    assert b"Status" not in octets
    rows = read.message_rows(box.folder("Old"), uids[:1], ("flags",))
    assert rows[uids[0]] == (flags.SEEN | flags.FLAGGED,)
    # Once more: nothing is copied twice.
    bring(page, box, mbox(700, 3000))
    run_due()
    assert (Transfer.objects.latest("pk").stored, count(box, "Old")) == (0, 700)
    assert "700 were here before" in page.get("/carry/list/").content.decode()


@pytest.mark.engines
def test_a_kill_doubles_and_loses_nothing(
    box: Box, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_MESSAGES", 7)
    bring(page, box, mbox(50))
    real, calls = append.append_many, list[int]()

    def dies(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(importing, "append_many", dies)
    with pytest.raises(KeyboardInterrupt):
        running.run(Transfer.objects.get().pk)
    row = Transfer.objects.get()
    assert (row.state, row.stored, len(box.uids("Old"))) == ("running", 21, 21)
    running.run(row.pk)  # as another host, when the lease is over
    row.refresh_from_db()
    assert (row.state, row.stored, row.known) == ("done", 50, 0)
    assert len(box.uids("Old")) == 50


def test_slices_follow_each_other(
    box: Box, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SLICE_SECONDS", 0.0)
    octets = {"a.mbox": mbox(3), "b/c.eml": b"Subject: 9\n\nHi\n"}
    bring(page, box, zipped(octets), "all.zip")
    run_due()
    assert Transfer.objects.get().stored == 4
    assert (len(box.uids("Old/a")), len(box.uids("Old/b"))) == (3, 1)


def test_of_two_that_read_one_ends(box: Box, page: Client) -> None:
    bring(page, box, mbox(5))
    stale = Transfer.objects.get()
    stale.state = Transfer.State.RUNNING
    stale.save()
    late = Transfer.objects.get()
    assert running._slice(stale)
    with pytest.raises(running.Superseded):
        running._slice(late)
    assert len(box.uids("Old")) == 5


def test_it_can_be_called_off(box: Box, page: Client) -> None:
    bring(page, box, mbox(5))
    row = Transfer.objects.get()
    assert page.post(f"/carry/{row.pk}/cancel/").status_code == 200
    run_due()
    row.refresh_from_db()
    assert (row.state, row.stored) == ("cancelled", 0)
    assert not TransferChunk.objects.exists()


def test_an_upload_goes_on_where_it_was(box: Box, page: Client) -> None:
    octets = mbox(1, 3 * uploads.PIECE)
    fields = {"account": box.account_id, "name": "a", "size": len(octets)}
    number = page.post("/carry/begin/", fields).json()["number"]
    place, kind = f"/carry/{number}/piece/?at=", "application/octet-stream"
    first = octets[: uploads.PIECE]
    assert page.post(f"{place}0", first, content_type=kind).status_code == 200
    again = page.post(f"{place}0", first, content_type=kind)
    assert (again.status_code, again.json()["received"]) == (409, uploads.PIECE)
    for wrong in (b"x", b"", octets[: uploads.PIECE + 1]):
        said = page.post(f"{place}{uploads.PIECE}", wrong, content_type=kind)
        assert said.status_code == 409
    assert page.post(f"/carry/{number}/end/").status_code == 409
    assert Transfer.objects.get().received == uploads.PIECE


def test_what_an_mbox_keeps_comes_back(box: Box, page: Client) -> None:
    box.put(PLAIN, flags=flags.SEEN | flags.ANSWERED)
    box.put(b"Subject: From\r\n\r\nFrom here\r\n>From there\r\n\r\nFrom on")
    octets = told(page, f"/export/{box.account_id}/{box.folder()}/")
    assert octets.startswith(b"From carl@far.test ")
    assert b"Status: RO\nX-Status: A\n" in octets
    assert b"\n>From here\n>>From there\n\n>From on\n" in octets
    found = list(mailfiles.in_mbox(io.BytesIO(octets), 0))
    assert found[0].octets.rstrip() == PLAIN.rstrip()
    # It is known where it came from, though a line end was added.
    bring(page, box, octets, folder="INBOX")
    run_due()
    assert (Transfer.objects.get().known, len(box.uids())) == (2, 2)


def test_all_mail_of_an_account_moves_to_another(
    box: Box, page: Client, bob: User, browser_of: Any
) -> None:
    from accounts.models import Account

    for name in ("Work", "Work/2024", "../out", "a:b"):
        gate.write_sync([box.account_id], folders.create_folder, box.account_id, name)
    box.put(PLAIN)
    box.put(b"Subject: sub\r\n\r\nHi\r\n", "Work/2024")
    box.put(b"Subject: odd\r\n\r\nHi\r\n", "../out")
    octets = told(page, f"/export/{box.account_id}/")
    names = zipfile.ZipFile(io.BytesIO(octets)).namelist()
    assert {"INBOX.mbox", "Work/2024.mbox", "_/out.mbox", "contacts.vcf"} <= set(names)
    other = Box(bob, Account.objects.get(owner=bob).pk)
    assert bring(browser_of(bob), other, octets, "all.zip", "").status_code == 200
    run_due()
    assert (len(other.uids()), len(other.uids("Work/2024"))) == (1, 1)
    assert Transfer.objects.get().state == "done"


def test_a_folder_with_those_below(box: Box, page: Client) -> None:
    for name in ("Work", "Work/a", "Workshop"):
        gate.write_sync([box.account_id], folders.create_folder, box.account_id, name)
    address = f"/export/{box.account_id}/{box.folder('Work')}/?below=1"
    archive = zipfile.ZipFile(io.BytesIO(told(page, address)))
    assert archive.namelist() == ["Work.mbox", "Work/a.mbox"]


def test_selected_messages_are_a_zip(box: Box, page: Client) -> None:
    uids = [box.put(PLAIN), box.put(PLAIN), box.put(b"Subject: ../a/b\r\n\r\nHi\r\n")]
    m = [box.where(uid) for uid in uids]
    answered: Any = page.post("/export/messages/", {"m": m})
    octets = b"".join(answered.streaming_content)
    archive = zipfile.ZipFile(io.BytesIO(octets))
    assert archive.testzip() is None
    assert len(archive.namelist()) == 3
    assert not any("/" in name for name in archive.namelist())
    assert max(map(archive.read, archive.namelist())).endswith(b"Hi\r\n")


def test_a_large_message_is_streamed(box: Box, page: Client) -> None:
    body = b"y" * 70 + b"\r\n"
    whole = b"Subject: large\r\n\r\n" + body * 20_000
    prepared = gate.prepare_sync(whole)
    gate.write_sync(
        [box.account_id],
        lambda: append.append(box.account_id, box.folder(), prepared),
    )
    octets = told(page, f"/export/{box.account_id}/{box.folder()}/")
    (found,) = mailfiles.in_mbox(io.BytesIO(octets), 0)
    assert found.octets == whole


def test_maildirs_in_a_zip(box: Box, page: Client) -> None:
    octets = b"Subject: 1\n\nHi\n"
    entries = {
        "Maildir/cur/1:2,FS": octets, "Maildir/new/2": octets + b"2",
        "Maildir/.Work.2024/cur/3!2,": octets + b"3", "Maildir/tmp/4": octets,
        "Maildir/dovecot-uidlist": b"3 V1", "Mail.mbox/mbox": mbox(1),
        "__MACOSX/x.eml": b"junk", "inner.zip": zipped({"a.eml": octets}),
    }  # fmt: skip
    bring(page, box, zipped(entries), "x.zip")
    run_due()
    assert Transfer.objects.get().stored == 4
    assert len(box.uids("Old/Maildir")) == 2
    assert len(box.uids("Old/Maildir/Work/2024")) == 1
    rows = read.message_rows(box.folder("Old/Maildir"), [1], ("flags",))
    assert rows[1] == (flags.SEEN | flags.FLAGGED,)


def bomb() -> bytes:
    return zipped({"a.eml": b"\0" * (300 << 20)})


def lying() -> bytes:
    """Return an archive that says too little of what is in it."""
    octets = zipped({"a.eml": b"Subject: x\n\n" + b"y" * 100_000})
    wrong = octets.replace((100_012).to_bytes(4, "little"), (20).to_bytes(4, "little"))
    assert wrong != octets
    return wrong


def encrypted() -> bytes:
    octets = bytearray(zipped({"a.eml": b"Subject: x\n\n"}))
    octets[octets.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(octets)


def crowded() -> bytes:
    """Return an archive whose end says that there are very many entries."""
    octets = bytearray(zipped({"a.eml": b"Subject: x\n\n"}))
    octets[octets.rindex(b"PK\x05\x06") + 12 :][:4] = b"\xf0\xff\xff\x0f"
    at = octets.rindex(b"PK\x05\x06") + 12
    octets[at : at + 4] = b"\xf0\xff\xff\x0f"
    return bytes(octets)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (bomb, "unpacks to far more"),
        (encrypted, "password"),
        (crowded, "too many"),
        (lambda: zipped({"../a.eml": PLAIN}), "lead out"),
        (lambda: zipped({"/etc/a.eml": PLAIN}), "lead out"),
        (lambda: zipped({"a\\..\\b.eml": PLAIN}), "lead out"),
        (lambda: zipped({"C:\\b.eml": PLAIN}), "lead out"),
        (lambda: zipped({"in.zip": zipped({"a.eml": PLAIN})}), "no mail"),
        (lambda: zipped({"a.eml": PLAIN}, zipfile.ZIP_LZMA), "packed in a way"),
        (lambda: zipped({"a.eml": PLAIN})[:-30], "damaged"),
        (lambda: b"PK\x05\x06" + b"\0" * 18, "no mail"),
        (lambda: b"PK\x03\x04" + b"\xff" * 500, "damaged"),
        (lambda: b"%PDF-1.4 hello", "no mail"),
        (lambda: b"\0" * 1000, "no mail"),
    ],
)
def test_hostile_files_are_refused(
    box: Box, page: Client, octets: Any, why: str
) -> None:
    said = bring(page, box, octets(), "x.zip")
    assert said.status_code == 409
    assert why in said.content.decode()
    row = Transfer.objects.get()
    assert (row.state, row.stored) == ("failed", 0)
    assert not TransferChunk.objects.exists()


def test_one_that_lies_about_its_size_stops(box: Box, page: Client) -> None:
    bring(page, box, lying(), "x.zip")
    run_due()
    row = Transfer.objects.get()
    assert (row.state, row.stored) == ("failed", 0)
    assert "damaged" in row.error


def test_too_much_in_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = zipped({f"{n}.eml": b"Subject: x\n\n" + b"ab" * 500 for n in range(50)})
    with pytest.raises(mailzips.Refused, match="large"):
        mailzips.sources(io.BytesIO(octets), len(octets), 10_000, 1 << 20)
    monkeypatch.setattr(mailzips, "MOST_ENTRIES", 49)
    with pytest.raises(mailzips.Refused, match="many"):
        mailzips.sources(io.BytesIO(octets), len(octets), 1 << 30, 1 << 20)


def test_a_message_that_is_too_large_is_counted(box: Box, page: Client) -> None:
    with override_settings(MAILHOST_MAX_MESSAGE_BYTES=65_536):
        large = mbox(1, 2_000_000)
        bring(page, box, large + mbox(2))
        run_due()
    row = Transfer.objects.get()
    # Number 0 comes once too large and once small.
    assert (row.stored, row.large, row.state) == (2, 1, "done")


def test_no_room_is_told_before_the_file_is_sent(box: Box, page: Client) -> None:
    box.user.account.quota_bytes = 10_000
    box.user.account.save()
    said = bring(page, box, mbox(10, 2000))
    assert said.status_code == 409
    assert "room for 9.8" in said.content.decode()
    # Of a zip it is known once its directory is there.
    said = bring(page, box, zipped({"a.mbox": mbox(10, 2000)}), "x.zip")
    assert said.status_code == 409
    assert not TransferChunk.objects.exists()


def test_a_full_account_stops_it_and_says_so(box: Box, page: Client) -> None:
    bring(page, box, mbox(10, 2000))
    box.user.account.quota_bytes = 10_000
    box.user.account.save()
    run_due()
    row = Transfer.objects.get()
    assert row.state == "failed"
    assert "full" in row.error


def test_who_lost_the_right_brings_nothing_in(
    box: Box, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(page, box, mbox(3))
    box.user.account.active = False
    box.user.account.save()
    row = Transfer.objects.get()
    row.user.is_active = False
    monkeypatch.setattr(uploads, "may_import", lambda *_: False)
    running.run(row.pk)
    row.refresh_from_db()
    assert (row.state, row.stored) == ("failed", 0)


@pytest.mark.parametrize("who", ["bob", "stranger"])
def test_strangers_find_nothing(
    box: Box, page: Client, request: pytest.FixtureRequest, browser_of: Any, who: str
) -> None:
    uid = box.put()
    bring(page, box, mbox(1))
    number, account, folder = Transfer.objects.get().pk, box.account_id, box.folder()
    other = browser_of(request.getfixturevalue(who))
    gets = [f"/export/{account}/", f"/export/{account}/{folder}/"]
    assert [other.get(url).status_code for url in gets] == [404] * 2
    posts: list[tuple[str, dict[str, Any]]] = [
        (f"/carry/{number}/piece/?at=0", {}), (f"/carry/{number}/end/", {}),
        (f"/carry/{number}/cancel/", {}),
        ("/export/messages/", {"m": box.where(uid)}),
        ("/carry/begin/", {"account": account, "name": "a", "size": 5}),
    ]  # fmt: skip
    assert [other.post(u, data).status_code for u, data in posts] == [404] * 5
    assert "old.mbox" not in other.get("/carry/list/").content.decode()
    assert Transfer.objects.get().state == "waiting"


def test_what_broke_off_is_forgotten(box: Box, page: Client) -> None:
    fields = {"account": box.account_id, "name": "a", "size": 5}
    page.post("/carry/begin/", fields)
    assert uploads.sweep() == 0
    Transfer.objects.update(touched_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert uploads.sweep() == 1


def test_doubles_are_found_in_what_was_delivered(alice: User) -> None:
    from accounts.models import Account

    box = Box(alice, Account.objects.get(owner=alice).pk)
    box.put(PLAIN)
    found = [
        mailfiles.from_eml(PLAIN, None, 1),
        mailfiles.from_eml(PLAIN + b"x", None, 2),
    ]
    taken = importing.import_messages(box.account_id, box.folder(), found)
    assert (taken.stored, taken.known) == (1, 1)
    assert prepare(PLAIN).message_id == "lunch@far.test"
