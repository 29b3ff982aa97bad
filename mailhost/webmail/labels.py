"""Labels: keywords of messages with a name and a colour; other keywords as they are."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.text import slugify

from accounts.models import User
from mailhost.webmail import door
from mailhost.webmail.models import Label

# A keyword is an atom; of labels in lower case, as IMAP compares them. RFC 9051 §9
ATOM = re.compile(r"[a-z0-9!#$&'+,./:;<=>?@^_`|~-]{1,100}\Z")
# Marks of mail programs, no labels of a person. IANA: IMAP keywords
HIDDEN = frozenset(("nonjunk", "junk", "notjunk", "receipthandled", "forwarded", "old"))
HUES = 12


@dataclass(frozen=True, slots=True)
class Chip:
    """A label as a list shows it."""

    keyword: str
    name: str
    hue: int | None


def known(user: User, account_id: int) -> dict[str, Chip]:
    """Return the labels of an account that the user may read; once in a request."""
    if "r" not in door.account(user, account_id).rights:
        return {}  # the names are those of its members
    return door.once(user, ("labels", account_id), lambda: of_account(account_id))


def of_account(account_id: int) -> dict[str, Chip]:
    """Return the labels of an account by keyword, in the order of their names."""
    rows = Label.objects.filter(account_id=account_id).order_by("name")
    found = rows.values_list("keyword", "name", "hue")
    return {keyword: Chip(keyword, name, hue) for keyword, name, hue in found}


def chips(keywords: Iterable[str], known: dict[str, Chip]) -> tuple[Chip, ...]:
    """Return the labels among keywords (space between), each once."""
    met = dict.fromkeys(w.lower() for text in keywords for w in text.split())
    found = [known.get(word) or _unknown(word) for word in met]
    return tuple(chip for chip in found if chip)


def _unknown(word: str) -> Chip | None:
    """Return a keyword that another program gave; None for what is no label."""
    if word.startswith("$") or word in HIDDEN:
        return None
    return Chip(word, word, None)


def keyword_for(name: str) -> str:
    """Return the keyword of a new label: its name where that can be read."""
    word = slugify(name)[:60]
    return (
        word if ATOM.match(word) and word not in HIDDEN else f"l-{secrets.token_hex(4)}"
    )
