"""The catalogs: complete, right, and compiled. `make messages`"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.utils import translation
from typing_extensions import override

from mailhost.webmail.texts import TEXTS
from tests import messages

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = [
    path
    for path in sorted((ROOT / "mailhost/webmail/static").rglob("*.js"))
    if ".min." not in path.name
]


@pytest.mark.parametrize("language", messages.languages())
def test_everything_is_translated_and_right(language: str) -> None:
    assert not list(messages.problems(language)), f"run: {messages.COMMAND}"


def test_catalogs_are_compiled() -> None:
    assert not list(messages.stale()), f"run: {messages.COMMAND}"


@pytest.mark.parametrize(
    ("string", "wrong"),
    [
        ("%(n)s Sachen", []),
        ("%(m)s Sachen", ["other holes"]),
        ("%(n)s <b>Sachen</b>", ["other markup"]),
        ("%(n)s %s", ["other %s or %d"]),
        (" %(n)s", ["other blanks around"]),
    ],
)
def test_what_is_wrong_is_found(string: str, wrong: list[str]) -> None:
    assert list(messages._differs(["%(n)s things"], string)) == wrong


def test_texts_of_templates_and_code_are_found() -> None:
    found = messages.found()
    assert found.get("Inbox", "folder") is not None
    assert found.get("Press <kbd>?</kbd> for the keyboard.") is not None
    plural = found.get(("%(n)s attachment", "%(n)s attachments"))
    assert plural is not None
    assert isinstance(plural.id, tuple)


@pytest.mark.parametrize("language", messages.languages())
def test_words_of_an_attachment_are_an_expression(language: str) -> None:
    with translation.override(language):
        words = re.compile(str(TEXTS["attachment"]), re.IGNORECASE)
    assert words.search("see what is attached")
    assert not words.search("")
    assert not words.search("Hallo, hola, ciao, salut")


class Words(HTMLParser):
    """What stands in a template for people to read, but is not translated."""

    ATTRIBUTES = frozenset(("title", "placeholder", "alt", "aria-label", "label"))
    # Keys, names, and what other programs say.
    NO_WORDS = frozenset(("kbd", "code", "script", "style", "pre"))

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside.append(tag)
        for name, value in attrs:
            if name in self.ATTRIBUTES and has_words(value or ""):
                self.found.append(f"{name}={value}")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    @override
    def handle_data(self, data: str) -> None:
        if has_words(data) and not self.NO_WORDS & set(self.inside):
            self.found.append(data.strip())


def has_words(text: str) -> bool:
    """Tell whether two letters stand together; entities are no letters."""
    return bool(re.search(r"[^\W\d_]{2}", re.sub(r"&\w+;", "", text)))


def without_code(template: str) -> str:
    """Return a template without its tags, and without what they translate."""
    blocks = r"{%\s*(blocktrans\w*|comment)\b.*?{%\s*end\1\s*%}"
    plain = re.sub(blocks, "", template, flags=re.DOTALL)
    return re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", plain, flags=re.DOTALL)


# Names and abbreviations that are the same everywhere.
SAME = frozenset(("DKIM", "SPF", "MiB", "SSL", "TLSSTARTTLS"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_say_nothing_untranslated(path: Path) -> None:
    words = Words()
    words.feed(without_code(path.read_text("utf-8")))
    said = [set(re.findall(r"[^\W\d_]{2,}", one)) for one in words.found]
    assert [one for one in said if not one <= SAME] == []


def test_a_text_that_is_not_translated_is_found() -> None:
    words = Words()
    source = (
        '<p title="Go">{% if x %}Hello{% endif %} {% translate "Yes" %}</p>'
        "{% blocktranslate %}Yes {{ x }}{% endblocktranslate %}<kbd>Esc</kbd>"
    )
    words.feed(without_code(source))
    assert words.found == ["title=Go", "Hello"]


# A sentence begins with a capital letter and goes on; code in strings does not.
SENTENCE = re.compile(
    r"[\"'`]([A-Z][a-z]+(?:['’ ,][^\"'`]*)?[.?!…]|[A-Z][a-z]+ [a-z][^\"'`]*)[\"'`]"
)


def literals(script: str) -> Iterator[str]:
    """Yield what a script would say in English, whoever reads it."""
    plain = re.sub(r"(?m)(^|\s)//.*$", "", script)
    yield from (match[1] for match in SENTENCE.finditer(plain))
    yield from re.findall(r"\b(?:notice|confirm|alert|prompt)\(\s*[\"'`].*", plain)
    yield from re.findall(
        r"\.(?:textContent|title|placeholder)\s*=\s*[\"'][^\"']+", plain
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_say_nothing_of_their_own(path: Path) -> None:
    assert list(literals(path.read_text("utf-8"))) == []


def test_what_scripts_say_is_there() -> None:
    said = {
        name
        for path in SCRIPTS
        for name in re.findall(r"\bsay\(\s*\"(\w+)\"", path.read_text("utf-8"))
    }
    assert said <= set(TEXTS)
    assert list(literals('notice("No."); x = "Hello there"; // "Not this."')) == [
        "No.", "Hello there", 'notice("No."); x = "Hello there";',
    ]  # fmt: skip
