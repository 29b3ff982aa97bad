"""What may follow in the search box: operators, and values of the last of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import User
from mailhost.webmail import door, labels
from mailhost.webmail.searching.grammar import LONGEST
from mailhost.webmail.searching.operators import OPERATORS

MOST = 8
STATES = (
    "unread", "read", "flagged", "answered", "draft", "muted", "snoozed", "unanswered",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The whole query with it, what is shown, and what it means."""

    query: str
    shown: str
    says: str = ""


def suggestions(user: User, text: str) -> list[Suggestion]:
    """Return what may follow the text."""
    before, last = _split(text[:LONGEST])
    field, colon, value = last.lstrip("-").partition(":")
    lead = before + "-" * last.startswith("-")
    if colon and field.lower() in OPERATORS:
        found = _values(user, field.lower(), value.strip('"'))
    else:
        found = _operators(last.lstrip("-"))
    return [
        Suggestion(lead + shown + " " * (not shown.endswith(":")), shown, says)
        for shown, says in list(found)[:MOST]
    ]


def _split(text: str) -> tuple[str, str]:
    """Split off the last word, which may be a phrase that is still open."""
    if text.count('"') % 2:
        at = text.rfind(" ", 0, text.rfind('"')) + 1
    else:
        at = text.rfind(" ") + 1
    return text[:at], text[at:]


def _operators(word: str) -> Iterator[tuple[str, str]]:
    for name, operator in OPERATORS.items():
        if operator.says and name.startswith(word.lower()):
            yield operator.example, str(operator.says)
    if not word:
        yield "in:anywhere", _("Trash and Junk too")


def _values(user: User, field: str, begun: str) -> Iterator[tuple[str, str]]:
    values: list[tuple[str, str]] = []
    if field == "in":
        values = [
            (folder.role or folder.name, folder.name)
            for one in door.accounts(user)
            for folder in one.folders
        ]
    elif field in {"label", "tag", "keyword"}:
        values = [
            (chip.name, "")
            for one in door.accounts(user)
            for chip in labels.known(user, one.account.id).values()
        ]
    elif field == "is":
        values = [(state, "") for state in STATES]
    elif field == "has":
        values = [("attachment", "")]
    for value, says in dict(values).items():
        if begun.casefold() in value.casefold():
            yield f"{field}:{_written(value)}", says if says != value else ""


def _written(value: str) -> str:
    return f'"{value}"' if " " in value else value
