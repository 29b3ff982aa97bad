"""The catalogs of what is said to people: `make messages`, and what is wrong in them.

Texts are found in the code and the templates, put into locale/*/LC_MESSAGES/django.po
(new ones empty, similar ones never guessed, gone ones dropped) and compiled, the
catalogs of the protocols too. GNU gettext is not needed.
"""

import io
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
COMMAND = (
    "make messages, then translate what is empty in locale/*/LC_MESSAGES/django.po"
)
CONTEXT = (1, "c")
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": (CONTEXT, 2),
    "pgettext_lazy": (CONTEXT, 2),
    "npgettext": (CONTEXT, 2, 3),
    "npgettext_lazy": (CONTEXT, 2, 3),
}
# What only administrators see: the admin is in English.
ADMIN = re.compile(
    r"(^|/)(admin\w*|signinadmin|csvusers|userimport|renaming|credentials|limits)(\.py|/)"
    r"|^(mailhost/(certificates|jobs|mail|outbound|screening|sending)|protocols(/\w+)?)/(models|apps)\b"
    r"|^templates/dsn/(dmarc|tls)\."
)
POSITIONAL, NAMED = re.compile(r"%[sd]"), re.compile(r"%\(\w+\)[sd]|\{\w*\}")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = r"""# What mailhost says to people. make messages
msgid ""
msgstr ""
"Language: {language}\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: {rule}\n"

"""
TAG = re.compile(r"</?\w[^>]*>")


def languages() -> list[str]:
    """Return the languages that are translated to."""
    from django.conf import settings

    return [code for code, _name in settings.LANGUAGES if code != "en"]


def catalog_of(language: str) -> Path:
    """Return where the translations to a language are."""
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def sources() -> Iterator[Path]:
    """Yield the files with texts for people."""
    for top in ("accounts", "mailhost", "protocols", "templates"):
        for path in sorted((ROOT / top).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in {".py", ".html", ".txt"} and not ADMIN.search(name):
                yield path


def found() -> Catalog:
    """Return the texts of the project, and in which files each stands."""
    catalog = Catalog(fuzzy=False)
    for path in sources():
        octets = path.read_bytes()
        if path.suffix != ".py":
            octets = as_code(octets.decode()).encode()
        place = (path.relative_to(ROOT).as_posix(), 0)
        for _line, text, _comments, context in extract(
            "python", io.BytesIO(octets), keywords=KEYWORDS
        ):
            catalog.add(text, locations=[place], context=context)
    return catalog


def as_code(template: str) -> str:
    """Return a template as calls of gettext, which is what Django makes of it."""
    from django.utils.translation.template import templatize

    return "\n".join(line.strip() for line in templatize(template).splitlines())


def read(path: Path) -> Catalog:
    """Read a catalog."""
    with path.open("rb") as file:
        return read_po(file)


def merged(old: Catalog, texts: Catalog, language: str) -> Catalog:
    """Return the texts with their translations as far as there are any."""
    made = Catalog(language, fuzzy=False)
    for text in texts:
        if not text.id:
            continue
        known = old.get(text.id, text.context)
        kept = known is not None and isinstance(known.id, str) == isinstance(
            text.id, str
        )
        made.add(
            text.id,
            known.string if known is not None and kept else None,
            locations=text.locations,
            flags=known.flags if known is not None and kept else (),
            context=text.context,
        )
    return made


def compiled(catalog: Catalog) -> bytes:
    """Return a catalog as it is read at run time."""
    buffer = io.BytesIO()
    catalog.creation_date = catalog.revision_date = EPOCH  # the same octets each time
    write_mo(buffer, catalog)
    return buffer.getvalue()


def problems(language: str) -> Iterator[str]:
    """Yield what is wrong with the translation to a language, sentence by sentence."""
    catalog, texts = read(catalog_of(language)), found()
    for text in texts:
        if text.id and (known := catalog.get(text.id, text.context)) is None:
            yield f"missing: {text.id!r}"
        elif text.id and known is not None:
            yield from _wrong(known, catalog.num_plurals)
    here = {(_first(text), text.context) for text in texts}
    yield from (
        f"gone: {one.id!r}" for one in catalog if (_first(one), one.context) not in here
    )


def _first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _wrong(message: Message, plurals: int) -> Iterator[str]:
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    said = message.string
    strings = [said] if isinstance(said, str) else list(said or [""])
    if not all(strings):
        yield f"not translated: {message.id!r}"
        return
    if message.fuzzy:
        yield f"fuzzy: {message.id!r}"
    if len(ids) > 1 and len(strings) != plurals:
        yield f"{plurals} forms are wanted: {message.id!r}"
    for string in strings:
        yield from (
            f"{why}: {message.id!r} {string!r}" for why in _differs(ids, string)
        )


def _differs(ids: list[str], string: str) -> Iterator[str]:
    """Yield how a translation is not made as its text, the plural of which is last."""
    wanted = ids[-1]
    if Counter(POSITIONAL.findall(wanted)) != Counter(POSITIONAL.findall(string)):
        yield "other %s or %d"
    there, here = set(NAMED.findall(wanted)), set(NAMED.findall(string))
    # One of "one, two, none" may say the number in a word.
    if not here <= there or (len(ids) == 1 and here != there):
        yield "other holes"
    if sorted(TAG.findall(wanted)) != sorted(TAG.findall(string)):
        yield "other markup"
    if (wanted[:1].isspace(), wanted[-1:].isspace()) != (
        string[:1].isspace(),
        string[-1:].isspace(),
    ):
        yield "other blanks around"


def stale() -> Iterator[str]:
    """Yield the compiled catalogs that are not what their sources say."""
    for path in sorted(ROOT.glob("**/locale/*/LC_MESSAGES/*.po")):
        made = path.with_suffix(".mo")
        if ".venv" not in path.parts and (
            not made.exists() or made.read_bytes() != compiled(read(path))
        ):
            yield str(made.relative_to(ROOT))


def main() -> int:
    """Bring the catalogs up to date; tell what is left to be done."""
    texts, left = found(), 0
    for language in languages():
        path = catalog_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        old = read(path) if path.exists() else Catalog(language, fuzzy=False)
        with path.open("wb") as file:
            new = merged(old, texts, language)
            rule = f"nplurals={new.num_plurals}; plural={new.plural_expr};"
            file.write(HEADER.format(language=language, rule=rule).encode())
            write_po(
                file, new,
                width=88, sort_output=True, include_lineno=False, omit_header=True,
            )  # fmt: skip
        wrong = list(problems(language))
        left += len(wrong)
        told = [f"{language}: {len(wrong)} of {len(texts)} to do", *wrong]
        sys.stdout.write("\n  ".join(told) + "\n")
    for name in stale():
        path = (ROOT / name).with_suffix(".po")
        path.with_suffix(".mo").write_bytes(compiled(read(path)))
    return int(left > 0)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailhost.settings")
    django.setup()
    sys.exit(main())
