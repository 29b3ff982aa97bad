"""What people read: every text in every language, and which language is meant."""

import gettext
import re

import pytest

from protocols.imap.wording import CATALOGS, LOCALE, chosen, in_language, say
from tests.unit.imap.texts import texts

SAME = {"", "FLAGS", "base64"}  # what is no word of English
ENTRY = re.compile(r'^msgid "(.*)"\nmsgstr "(.*)"$', re.MULTILINE)


def catalog(language: str) -> dict[str, str]:
    path = LOCALE / language / "LC_MESSAGES" / "imap.po"
    found = ENTRY.findall(path.read_text("utf-8"))
    return {k.replace('\\"', '"'): v.replace('\\"', '"') for k, v in found if k}


@pytest.mark.parametrize("language", CATALOGS)
def test_every_text_is_translated(language: str) -> None:
    assert texts() - SAME - set(catalog(language)) == set()


@pytest.mark.parametrize("language", CATALOGS)
def test_the_holes_stay(language: str) -> None:
    for english, other in catalog(language).items():
        count = english.count("{}")
        filled = other.format(*range(count))
        assert all(str(n) in filled for n in range(count)), other
        assert other.isprintable()
        assert not other.startswith("[")


@pytest.mark.parametrize("language", CATALOGS)
def test_the_compiled_catalog_is_that_of_the_text(language: str) -> None:
    """After a change: make messages."""
    compiled = gettext.translation("imap", LOCALE, [language])
    assert {k: compiled.gettext(k) for k in catalog(language)} == catalog(language)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("de", "de"),
        ("DE-at", "de"),
        ("de-Latn-DE-1996", "de"),
        ("de-x-private", "de"),
        ("fr-CA", "fr"),
        ("en-US", "en"),
        ("i-default", "i-default"),
        ("I-DEFAULT", "i-default"),
        ("default", "en"),
        ("*", "en"),
        ("mul", None),
        ("d", None),
        ("deu", None),
        ("*-de", None),
        ("i", None),
    ],
)
def test_which_language_is_meant(wanted: str, found: str | None) -> None:
    assert chosen(wanted) == found


def test_what_clients_send_is_not_translated() -> None:
    text = say("Expected {} at octet {}", say("a space"), 4)
    assert text == "Expected a space at octet 4"
    assert in_language("en", text) == text
    assert in_language("de", text) == "Erwartet bei Oktett 4: ein Leerzeichen"
    assert in_language("de", say("Unknown command {}", "a space")) == (
        "Unbekannter Befehl a space"
    )
    assert in_language("de", say("Unknown command {}", "{0}{}")) == (
        "Unbekannter Befehl {0}{}"
    )
    assert in_language("fr", "no text of ours") == "no text of ours"
    assert in_language("fr", "") == ""
