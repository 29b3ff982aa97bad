"""Every text of the IMAP server that a person may read, found in the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
# The place of the text among the arguments, by the name of what is called.
PLACES = {
    "Bad": 0, "No": 0, "Fatal": 0, "Broken": 0, "SaslError": 0, "NotAllowed": 0,
    "say": 0, "_said": 0, "_goodbye": 0, "match": 1, "Overflow": 0, "give_up": 1,
    "in_language": 1, "continues": 0,
}  # fmt: skip
STORE_ERRORS = {
    "BadIdentifier", "BadName", "EntryTooBig", "FolderExists", "FolderHasChildren",
    "InUse", "MessageTooBig", "NoSuchFolder", "NoSuchMessage", "NoSuchQuota",
    "NotPermitted", "OverQuota", "RightsFixed", "RoleTaken", "TooMany",
    "TooManyEntries",
}  # fmt: skip
# Said by an exception's own __init__, or not written as a call.
OTHERS = {
    "Authentication failed", "Too many failed logins, try again later", "Shared",
    "The directory is away, try again later",
    "This account is disabled", "This app password has expired",
    "This token has expired", "Too busy to check passwords, try again later",
}  # fmt: skip


def texts() -> set[str]:
    found = set(OTHERS)
    for place in ("protocols/imap", "protocols/sasl", "mailhost/store", "accounts"):
        for path in (ROOT / place).rglob("*.py"):
            names = PLACES if place != "mailhost/store" else {}
            names = names | dict.fromkeys(STORE_ERRORS, 0)
            found.update(said(ast.parse(path.read_text("utf-8")), names))
    return found


def said(tree: ast.AST, places: dict[str, int]) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        fn = node.func
        name = fn.id if isinstance(fn, ast.Name) else getattr(fn, "attr", "")
        at = places.get(name)
        if at is None or len(node.args) <= at:
            continue
        argument = node.args[at]
        assert not isinstance(argument, ast.JoinedStr), f"say() it: {ast.unparse(node)}"
        for one in ast.walk(argument):
            if isinstance(one, ast.Call):
                break
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                yield one.value
