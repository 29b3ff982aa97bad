"""What the reader is told of where a message came from."""

import json
from typing import Any

import pytest
from django.test import Client

from mailhost.mail.models import Arrival, Message
from mailhost.store.verdict import Kept
from mailhost.webmail import trust
from tests.unit.webmail.conftest import Box


def kept(**given: Any) -> Kept:
    return Kept(**{"action": "accept", "author": "far.test", **given})


@pytest.mark.parametrize(
    ("found", "kind", "text"),
    [
        (kept(dmarc="pass", signers=("far.test",)), "good", "Signed by far.test."),
        (kept(dmarc="pass"), "good", "Sent by a server of far.test."),
        (kept(dmarc="none", signers=("list.test",)), "plain", "Signed by list.test."),
        (kept(dmarc="none"), "plain", "Nothing proves that it comes from far.test."),
        (
            kept(dmarc="fail", signers=("evil.test",)),
            "warning",
            "far.test does not vouch for this message: it may be forged.",
        ),
    ],
)
def test_one_line_says_it(found: Kept, kind: str, text: str) -> None:
    assert trust.of(found) == [trust.Trust(kind, text)]


def test_nothing_is_said_of_what_was_never_checked() -> None:
    assert trust.of(Kept()) == []


def test_the_page_shows_it_without_markup_of_strangers(
    box: Box, page: Client, stranger: Any
) -> None:
    uid = box.put()
    assert 'class="trust' not in page.get(box.url(uid)).text
    message = Message.objects.get()
    verdict = {
        "action": "junk",
        "score": 6,
        "findings": [
            ["dmarc", 2, "<b>far.test</b> did not send it"],
            ["x", -1, "good"],
        ],
        "results": [["dmarc", "fail", {}, ""]],
        "from": "far.test",
        "signers": [],
    }
    Arrival.objects.create(
        account=message.account,
        email_id=message.email_id,
        delivered_to="alice@example.test",
        verdict=json.dumps(verdict),
    )
    shown = page.get(box.url(uid)).text
    assert "it may be forged" in shown
    assert "Filed as junk when it came." in shown
    assert "<li>&lt;b&gt;far.test&lt;/b&gt; did not send it</li>" in shown
    assert "good" not in shown.partition("Filed as junk")[2].partition("</ul>")[0]
