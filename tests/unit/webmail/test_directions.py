"""From right to left nothing stands on the wrong side: the styles know no left."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STYLES = [
    *sorted((ROOT / "mailhost/webmail/static").rglob("*.css")),
    ROOT / "templates/webmail/reader/html.html",
]
PHYSICAL = re.compile(
    r"(?:margin|padding|border)-(?:left|right)\b|text-align: ?(?:left|right)\b"
    r"|(?<![\w-])(?:left|right):(?! ?50%)[^;}]*|float: ?(?:left|right)"
)
SIDES = re.compile(r"(?<![\w-])(?:margin|padding|inset): ?([^;}!]+)")
VALUE = re.compile(r"(?:[\w.-]*\((?:[^()]|\([^()]*\))*\)|[^\s()])+")


def physical(style: str) -> list[str]:
    """Return what a style says of left and right; `left: 50%` is both."""
    sides = [VALUE.findall(one) for one in SIDES.findall(style)]
    uneven = [" ".join(one) for one in sides if len(one) == 4 and one[1] != one[3]]
    return PHYSICAL.findall(style) + uneven


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_know_start_and_end_alone(path: Path) -> None:
    assert physical(path.read_text("utf-8")) == []


def test_what_has_a_side_is_found() -> None:
    style = "a{margin-left:1px;left: 3px} b{padding: 1px 2px 3px calc(1px + 2px)}"
    assert len(physical(style)) == 3
    assert not physical(
        "a{margin-inline-start:1px; left: 50%; padding: 1px 2px 3px 2px}"
    )
