"""IMAP URLs of messages. RFC 5092 §6, §11; RFC 4469 appendix A."""

import pytest

from protocols.imap.appending.urls import MessageUrl, message_url
from protocols.imap.fetching.items import Kind, Section

WHOLE = Section()
READ = {
    "/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER": MessageUrl(
        "Drafts", 385759045, 20, Section(kind=Kind.HEADER), None
    ),
    "/Drafts/;UID=3002": MessageUrl("Drafts", None, 3002, WHOLE, None),
    "/inbox/;uid=1/;Section=1.5.9": MessageUrl(
        "INBOX", None, 1, Section("1.5.9"), None
    ),
    ";UID=7": MessageUrl(None, None, 7, WHOLE, None),
    "a/b%20c/%C3%BC;UIDVALIDITY=1/;UID=7/;PARTIAL=5": MessageUrl(
        "a/b c/ü", 1, 7, WHOLE, (5, 0xFFFFFFFF)
    ),
    "/x/;UID=7/;SECTION=1.MIME/;PARTIAL=0.1024": MessageUrl(
        "x", None, 7, Section("1", Kind.MIME), (0, 1024)
    ),
    "/x/;UID=7/;SECTION=HEADER.FIELDS%20%28To%20%22Cc%22%29": MessageUrl(
        "x", None, 7, Section("", Kind.FIELDS, (b"To", b"Cc")), None
    ),
    "/a%3Bb/;UID=7": MessageUrl("a;b", None, 7, WHOLE, None),
}


@pytest.mark.parametrize("text", READ)
def test_read(text: str) -> None:
    assert message_url(text) == READ[text]


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "/x", "/x/",
        "x;UID=1", "/x;UID=1", "/x/;UID=0", "/x/;UID=01", "/x/;UID=1/",
        "/x/;UID=1/;SECTION=",
        "/x/;UID=1/;SECTION=1]", "/x/;UID=1/;SECTION=1.HEADER%00",
        "/x/;UID=1/;SECTION=MIME", "/x/;UID=1/;PARTIAL=", "/x/;UID=1/;PARTIAL=1.0",
        "/x;UIDVALIDITY=0/;UID=1", "/;UID=1", "//;UID=1", "imap://h/x/;UID=1",
        "/%ff/;UID=1",
        "/a%0Db/;UID=1", "/x/;UID=1/;PARTIAL=1/;SECTION=1", "/x/;UID=1\n", "http://x/;UID=1",
    ],
)  # fmt: skip
def test_not_read(text: str) -> None:
    assert message_url(text) is None
