"""What people read of POP3: every text in every language."""

import ast
import gettext
from pathlib import Path

import pytest

from protocols.common.wording import CATALOGS
from protocols.pop3.wording import LOCALE
from tests.unit.imap.test_wording import ENTRY
from tests.unit.imap.texts import OTHERS, ROOT, STORE_ERRORS, said

# The place of the text among the arguments, by the name of what is called.
PLACES = dict.fromkeys(["Refused", "Fatal", "say", "err", "told", "SaslError"], 0) | {
    "in_language": 1,
    "NotAllowed": 0,
}
NAMED = {"INTERNAL", "GOING_DOWN", "NOT_NOW"}
SAME = {"", "mailhost POP3 ready"}  # the greeting comes before any choice


def texts() -> set[str]:
    found = set(OTHERS) - {"Shared"}
    for place in (
        "protocols/pop3",
        "protocols/sasl",
        "mailhost/store",
        "accounts/auth.py",
    ):
        path = ROOT / place
        for file in [path] if path.is_file() else path.rglob("*.py"):
            names = {} if place == "mailhost/store" else PLACES
            tree = ast.parse(file.read_text("utf-8"))
            found.update(said(tree, names | dict.fromkeys(STORE_ERRORS, 0)))
            if place == "protocols/pop3":
                found.update(_named(tree))
    return found


def _named(tree: ast.Module) -> set[str]:
    """Return the texts of constants, and of answers that hold no numbers."""
    wholes = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in NAMED
    ] + [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in {"ok", "multi_line"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]
    return {
        one.value
        for whole in wholes
        for one in ast.walk(whole)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


def catalog(path: Path) -> dict[str, str]:
    found = ENTRY.findall(path.read_text("utf-8"))
    return {k.replace('\\"', '"'): v.replace('\\"', '"') for k, v in found if k}


@pytest.mark.parametrize("language", CATALOGS)
def test_every_text_is_translated(language: str) -> None:
    known = catalog(LOCALE / language / "LC_MESSAGES" / "pop3.po")
    assert texts() - SAME - set(known) == set()
    compiled = gettext.translation("pop3", LOCALE, [language])
    assert {k: compiled.gettext(k) for k in known} == known
    for english, other in known.items():
        assert other.count("{}") == english.count("{}")
        assert not other.startswith("[")
