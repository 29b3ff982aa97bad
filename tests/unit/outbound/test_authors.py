"""Whose message it is, for whoever may only write in their own name."""

import pytest

from mailhost.outbound.completion import authors


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"From: a@x.test\r\n", ["a@x.test"]),
        (b'From: "a <b" <a@x.test>\r\n', ["a@x.test"]),
        (b"From: a@x.test\r\nFrom: b@x.test\r\n", ["a@x.test", "b@x.test"]),
        (b"From: a@x.test\r\nSender: b@x.test\r\n", ["a@x.test", "b@x.test"]),
        (b"From: <a@x.test> <b@x.test>\r\n", []),
        (b"From: b@x.test <a@x.test>\r\n", ["a@x.test", "b@x.test"]),
        (b"From: a@x.test <a@x.test>, c@x.test\r\n", ["a@x.test", "c@x.test"]),
        (b"From: =?utf-8?q?b@x.test?= <a@x.test>\r\n", ["a@x.test"]),
        (b"From: a@x.test (b@x.test)\r\n", ["a@x.test"]),
        (b"Sender: a@x.test\r\n", []),
        (
            b"From: a@x.test\r\nX: " + b"y\r\n " * 100_000 + b"\r\nFrom: b@x.test\r\n",
            [],
        ),
    ],
)
def test_authors(header: bytes, expected: list[str]) -> None:
    assert authors(header + b"\r\nbody\r\n") == expected
