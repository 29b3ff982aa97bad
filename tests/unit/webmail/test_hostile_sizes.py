"""What a stranger may send costs time in proportion to its length."""

import time

import pytest

from mailhost.mime.headers import unfold
from mailhost.webmail.sanitise import clean

SECONDS = 2.0  # hundreds of times what it takes; the quadratic forms take minutes


@pytest.mark.parametrize(
    "html",
    [
        "<" * 402 + "<" + "a" * 300_000,
        '<b style="url(' + " " * 300_000 + '">x</b>',
        "<b></x>" * 60_000,
        '<b x="<"></x>' * 60_000,
        "<b '" * 100_000,
        '<b "' * 100_000,
        "<b>" * 100_000 + "</b>" * 100_000,
    ],
    ids=lambda html: html[:14] + html[-8:],
)
def test_html_is_cleaned_in_time(html: str) -> None:
    start = time.process_time()
    clean(html, {})
    assert time.process_time() - start < SECONDS


def test_carriage_returns_are_unfolded_in_time() -> None:
    start = time.process_time()
    assert unfold(b"x" + b"\r" * 250_000 + b"x\r\n y").endswith(b"x y")
    assert time.process_time() - start < SECONDS
