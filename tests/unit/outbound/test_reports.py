"""Reports to senders: their words, their languages, their forms; late mail."""

import gettext
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailhost.outbound import reasons
from mailhost.outbound.dsn import Report, report
from mailhost.outbound.models import QueueMessage, QueueRecipient
from mailhost.outbound.runner import run_once
from mailhost.outbound.values import Fate, Recipient
from tests.unit.outbound.conftest import Remote
from tests.unit.outbound.test_runner import ALICE, make_due, put
from tests.unit.smtp.inbox import messages

WHEN = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOCALE = Path(reasons.__file__).parent / "locale"
ORIGINAL = b"From: a@x.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nbody\r\n"


def made(*fates: Fate, **more: Any) -> bytes:
    values: dict[str, Any] = {"to": "a@x.test", "original": ORIGINAL, **more}
    about = Report(host="mail.example.test", fates=fates, arrived_at=WHEN, **values)
    return report(about).octets


def test_it_says_it_in_words() -> None:
    found = made(
        Fate("b@y.test", "failed", "5.1.1", "550 nobody", "mx.y.test")
    ).decode()
    words = found.split("\r\n\r\n", 2)[2].split("\r\n--")[0]
    assert words.replace("\r\n", "\n") == (
        "This is the mail server mail.example.test.\n\n"
        "Your message could not be delivered to the addresses below. It will\n"
        "not be tried again.\n\n"
        "Subject: Grüße\n\n"
        "<b@y.test>: not delivered\n"
        "    There is no such mailbox. Look whether the address is right.\n"
        "    mx.y.test said: 550 nobody\n"
    )


def test_and_in_the_language_of_the_sender() -> None:
    fate = Fate("b@y.test", "failed", "5.1.1", "550 nobody", "mx.y.test")
    found = made(fate, language="de").decode()
    assert "This is the mail server" in found
    assert "Dieses Postfach gibt es nicht. Bitte prüfen Sie die Adresse." in found
    assert "Betreff: Grüße" in found
    # One we have no words of says it once.
    assert made(fate, language="tlh").decode().count("There is no such mailbox.") == 1


@pytest.mark.parametrize("language", ["ar", "de", "es", "fr", "it", "nl", "pt-br"])
def test_every_language_has_every_word(language: str) -> None:
    statuses = [f"5.{detail}" for detail in reasons._sentences()]
    for action in ("failed", "delayed", "delivered", "relayed"):
        fates = tuple(
            Fate("b@y.test", action, status, "550 no", "mx", retried_until=WHEN)
            for status in statuses
        )
        body = made(*fates, language=language).decode().replace("\r\n", "\n")
        text = re.split(r"\n--[0-9a-f]{32}", body.split("\n\n", 2)[2])[0]
        english, there = text.split("-" * 60)[0], text.split("-" * 60)[1]
        assert len(there.splitlines()) >= len(english.splitlines()) - 2
        # Addresses and what others said are nobody's words.
        said = {line.strip() for line in there.splitlines()} - {""}
        assert said & {line.strip() for line in english.splitlines()} == set()


@pytest.mark.parametrize(
    "file", sorted(LOCALE.glob("*/LC_MESSAGES/django.po")), ids=str
)
def test_what_is_compiled_is_what_was_written(file: Path) -> None:
    with file.with_suffix(".mo").open("rb") as octets:
        compiled = gettext.GNUTranslations(octets)
    text = re.sub(r'"\n"', "", file.read_text("utf-8"))
    pairs = re.findall(r'^msgid "(.+)"\nmsgstr "(.*)"$', text, re.MULTILINE)
    assert len(pairs) == 29
    for wanted, words in pairs:
        plain = wanted.replace("\\n", "\n")
        assert compiled.gettext(plain) == words.replace("\\n", "\n") != plain


def test_what_is_not_ascii_takes_the_global_forms() -> None:
    fate = Fate("grüße@y.test", "failed", "5.1.1", "550 nobody")
    about = Report(
        to="a@x.test",
        host="mail.example.test",
        fates=[fate],
        original="From: ä@x.test\r\n\r\nbody\r\n".encode(),
        arrived_at=WHEN,
        whole=True,
    )
    found = report(about)
    assert found.smtputf8
    for line in (  # RFC 6533 §4
        "Content-Type: message/global-delivery-status",
        "Content-Type: message/global",
        "Final-Recipient: utf-8; grüße@y.test",
    ):
        assert f"\r\n{line}\r\n".encode() in found.octets
    plain = made(Fate("b@y.test", "failed", "5.1.1", "550 nobody"))
    assert b"message/global" not in plain


@pytest.mark.django_db(transaction=True)
@pytest.mark.engines
async def test_late_mail_is_told_of_once(
    remote: Remote, alice: Any, settings: Any
) -> None:
    remote.replies["RCPT"] = "451 4.7.1 come again"
    await put(
        Recipient("a@far.example"),
        Recipient("b@far.example", notify="DELAY"),
        Recipient("c@far.example", notify="FAILURE"),
        Recipient("d@far.example", notify="NEVER"),
    )
    await run_once()
    assert await messages(ALICE) == []
    for _ in range(3):
        earlier = datetime.now(UTC) - timedelta(hours=4)
        await QueueMessage.objects.aupdate(created_at=earlier)
        await make_due()
        await run_once()
    [told] = await messages(ALICE)
    assert b"Subject: Your message is delayed\r\n" in told
    assert told.count(b"Action: delayed\r\n") == 2
    assert told.count(b"Will-Retry-Until: ") == 2
    assert b"Status: 4.7.1\r\n" in told
    assert b"c@far.example" not in told
    assert b"d@far.example" not in told


@pytest.mark.django_db(transaction=True)
async def test_late_reports_are_nobodys_business(
    remote: Remote, alice: Any, settings: Any
) -> None:
    remote.replies["RCPT"] = "451 4.7.1 come again"
    settings.MAILHOST_DELAY_WARNING_SECONDS = 1
    await put("a@far.example", mail_from="")
    await QueueMessage.objects.aupdate(created_at=datetime.now(UTC) - timedelta(days=1))
    await run_once()
    row = await QueueRecipient.objects.aget()
    assert (row.delay, await QueueMessage.objects.acount()) == ("", 1)


@pytest.mark.django_db(transaction=True)
async def test_no_warnings_where_none_are_wanted(
    remote: Remote, alice: Any, settings: Any
) -> None:
    remote.replies["RCPT"] = "451 4.7.1 come again"
    settings.MAILHOST_DELAY_WARNING_SECONDS = 0
    await put("a@far.example")
    await QueueMessage.objects.aupdate(created_at=datetime.now(UTC) - timedelta(days=1))
    await run_once()
    assert await messages(ALICE) == []
