"""What a server says to people, in their language. RFC 5255 §3, RFC 6856 §3.

The code says it in English; the connection looks it up where it leaves. A text with
something in it keeps its template, which is what a protocol's catalogs know.
"""

from functools import cache
from pathlib import Path
from typing import Self

from django.conf import settings
from django.utils.translation.trans_real import DjangoTranslation

# RFC 5255 §3.1: i-default is what is spoken until the client chooses.
DEFAULT = "i-default"
ENGLISH = frozenset({DEFAULT, "en"})
CATALOGS = ("de", "es", "fr")
LANGUAGES = (DEFAULT, "en", *CATALOGS)


class Said(str):
    """An English text that knows what it was made of."""

    __slots__ = ("arguments", "template")
    template: str
    arguments: tuple[object, ...]

    def __new__(cls, template: str, *arguments: object) -> Self:
        """Fill the holes of the template."""
        made = super().__new__(cls, template.format(*arguments))
        made.template, made.arguments = template, arguments
        return made


say = Said


class Wording:
    """The catalogs of one protocol, apart from the texts of the web."""

    def __init__(self, domain: str, locale: Path) -> None:
        """Read nothing yet; `domain` names the files in `locale`."""
        self._domain, self._locale = domain, str(locale)

    def in_language(self, language: str, text: str) -> str:
        """Return the text in this language, or as it is where it was not translated."""
        if language in ENGLISH or not text:
            return text
        catalog = _catalog(language, self._domain, self._locale)
        if not isinstance(text, Said):
            return catalog.gettext(text)
        filling = [
            self.in_language(language, one) if isinstance(one, Said) else one
            for one in text.arguments
        ]
        return catalog.gettext(text.template).format(*filling)


@cache
def _catalog(language: str, domain: str, locale: str) -> DjangoTranslation:
    return DjangoTranslation(language, domain, [locale])


def chosen(language_range: str) -> str | None:
    """Return the language that a range asks for, None: there is none.

    RFC 4647 §3.4 (lookup): subtags fall off the end until one is known.
    """
    wanted = language_range.lower()
    if wanted in {"default", "*"}:  # the administrator's. RFC 5255 §3.2
        return chosen(settings.LANGUAGE_CODE) or DEFAULT
    tags = wanted.split("-")
    while tags:
        if (found := "-".join(tags)) in LANGUAGES:
            return found
        tags.pop()
        if tags and len(tags[-1]) == 1:
            tags.pop()
    return None
