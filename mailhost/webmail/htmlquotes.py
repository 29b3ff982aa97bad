"""Quotes at the end of sanitised HTML, folded: no script is needed to unfold them."""

import re
from collections.abc import Sequence

from mailhost.webmail import outlook

BLOCKQUOTE = re.compile(r"<(/?)blockquote\b[^>]*>")
TAG = re.compile(r"<[^>]*>")
FOLD = '<details class="quote"><summary>•••</summary>'


def fold(html: str) -> str:
    """Return balanced HTML with the outermost quotes at its end folded.

    What is nothing but quotes, or goes on after them, is left as it is.
    """
    if unmarked := [s for s in outlook.spans(html) if _has_words(html[slice(*s)])]:
        return _folded(html, unmarked) if _has_words(html[: unmarked[0][0]]) else html
    spans = _outermost(html)
    if not spans or _has_words(html[spans[-1][1] :]):
        return html
    start = len(spans) - 1
    while start and not _has_words(html[spans[start - 1][1] : spans[start][0]]):
        start -= 1
    if not _has_words(html[: spans[start][0]]):
        return html
    return _folded(html, spans[start:])


def _folded(html: str, spans: Sequence[tuple[int, int]]) -> str:
    pieces, position = list[str](), 0
    for first, end in spans:
        pieces += [html[position:first], FOLD, html[first:end], "</details>"]
        position = end
    return "".join([*pieces, html[position:]])


def _outermost(html: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    depth = start = 0
    for match in BLOCKQUOTE.finditer(html):
        if not match[1]:
            start = start if depth else match.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                found.append((start, match.end()))
    return found


def _has_words(html: str) -> bool:
    return "<img" in html or bool(TAG.sub("", html).replace("&nbsp;", " ").strip())
