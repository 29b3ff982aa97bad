"""A page asks the database as often for a large mailbox as for a small one."""

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.unit.webmail.conftest import Box

if TYPE_CHECKING:
    from django.test import Client

ROWS = {"HX-Request": "true", "HX-Target": "rows"}
READER = {"HX-Request": "true", "HX-Target": "reader"}
PAGES = {
    "list": ("{folder}", {}),
    "rows": ("{folder}", ROWS),
    "unread": ("{folder}?show=unread", ROWS),
    "conversation": ("{folder}{uid}/", READER),
    "whole conversation": ("{folder}{uid}/", {}),
    "search": ("/search/?q=lunch", ROWS),
    "folders": ("/folders/", READER),
    "manage": ("/folders/manage/", READER),
    "compose": ("/compose/?reply={where}", READER),
}


def letter(number: int) -> bytes:
    """Return one of a talk of all: from many, to many, one in three with a file."""
    head = (
        f"From: P{number} <p{number}@far.test>\r\nTo: a{number}@far.test\r\n"
        f"Subject: Re: Lunch\r\nMessage-ID: <{number}@far.test>\r\n"
        "References: <0@far.test>\r\nMIME-Version: 1.0\r\n"
    )
    if number % 3:
        return f"{head}\r\nWords of {number}\r\n".encode()
    return (
        f"{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee\r\n"
        "--b\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nA\r\n--b--\r\n"
    ).encode()


def grow(box: Box, start: int, count: int) -> int:
    """Add messages, folders and labels; return the UID of the last message."""
    from mailhost.store import folders
    from mailhost.store.gate import gate
    from mailhost.webmail.models import Label

    uid = 0
    for number in range(start, start + count):
        uid = box.put(letter(number))
    for number in range(start, start + count):
        name = f"Folder {number}"
        gate.write_sync([box.account_id], folders.create_folder, box.account_id, name)
        Label.objects.create(account_id=box.account_id, keyword=f"k{number}", name=name)
    return uid


@pytest.mark.engines
@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_as_often_whatever_the_mailbox(
    box: Box, page: "Client", name: str
) -> None:
    path, headers = PAGES[name]
    counts = []
    for start, count in ((0, 8), (8, 12)):  # more unread than stand open
        uid = grow(box, start, count)
        filled = path.format(folder=box.url(), uid=uid, where=box.where(uid))
        page.get(filled, headers=headers)  # what is read, or remembered, once
        with CaptureQueriesContext(connection) as asked:
            assert page.get(filled, headers=headers).status_code == 200
        counts.append([query["sql"].split(" FROM ")[-1][:60] for query in asked])
    assert len(counts[0]) == len(counts[1]), counts
    assert len(counts[0]) < 40
