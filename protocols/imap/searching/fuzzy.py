"""FUZZY: what matches about, and how well. RFC 6203.

A text matches fully where it occurs as it is. Else its words are looked for one by one,
and where a word does not occur, its first letters; at least half of them must be found
in one way or the other, and the score is the share that was. Sizes and dates match
near their range, the nearer the better. Other keys match exactly.
"""

import re
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from typing import Any

from mailhost.mime.casemap import casemap
from protocols.imap.effects import Effect
from protocols.imap.searching.keys import (
    And,
    Arrived,
    Fuzzy,
    Key,
    Not,
    Or,
    Size,
    Text,
    inside,
)
from protocols.imap.selected import Selected

Scores = dict[int, float]  # row -> 1 to 100; those that do not match are not in it
Find = Callable[
    [Selected, Key, Sequence[int]], Generator[bytes | Effect, Any, list[int]]
]
Scoring = Generator[bytes | Effect, Any, Scores]

FULL = 100.0
MOST_WORDS = 8
WORD_SCORE, START_SCORE = 0.9, 0.4  # of a whole word, and of its first letters
SHORT_WORD = 4  # letters of a word that is not shortened
NEAR_SECONDS = 3 * 86_400
NEAR_SIZE = 0.1  # of the bound
WORD = re.compile(r"\w+")


def scores(find: Find, selected: Selected, key: Key, rows: Sequence[int]) -> Scoring:
    """Return the rows that match a fuzzy key about, with their scores.

    `find` searches exactly.
    """
    match key:
        case And(keys):
            return (yield from _all(find, selected, keys, rows))
        case Or(keys):
            return (yield from _any(find, selected, keys, rows))
        case Fuzzy(inner):
            return (yield from scores(find, selected, inner, rows))
        case Text():
            return (yield from _text(find, selected, key, rows))
        case _:
            return (yield from _plain(find, selected, key, rows))


def _plain(find: Find, selected: Selected, key: Key, rows: Sequence[int]) -> Scoring:
    match key:
        case Size(over, under):
            return _near(rows, selected.now.sizes, over + 1, under, NEAR_SIZE)
        case Arrived(start, end):
            return _near(rows, selected.now.dates, start, end, NEAR_SECONDS)
        case _:
            found = yield from find(selected, key, rows)
            return dict.fromkeys(found, FULL)


def relevance(
    find: Find, selected: Selected, key: Key, rows: Sequence[int]
) -> Generator[bytes | Effect, Any, dict[int, int]]:
    """Return the score of each row that a search with fuzzy keys has found."""
    found = yield from _relevance(find, selected, key, rows)
    return {i: max(1, min(100, round(found.get(i, 1)))) for i in rows}


def is_fuzzy(key: Key) -> bool:
    """Tell whether there is a fuzzy key in it."""
    return any(isinstance(one, Fuzzy) for one in inside(key))


def _relevance(
    find: Find, selected: Selected, key: Key, rows: Sequence[int]
) -> Scoring:
    match key:
        case Fuzzy(inner):
            return (yield from scores(find, selected, inner, rows))
        case And(keys) | Or(keys):
            judged = [k for k in keys if is_fuzzy(k) and not isinstance(k, Not)]
            join = _mean if isinstance(key, And) else _best
            parts: list[Scores] = []
            for one in judged:
                parts += [(yield from _relevance(find, selected, one, rows))]
            return join(parts)
        case _:
            return {}


def _mean(parts: Sequence[Scores]) -> Scores:
    everywhere = set.intersection(*map(set, parts)) if parts else set()
    return {i: sum(part[i] for part in parts) / len(parts) for i in everywhere}


def _best(parts: Iterable[Scores]) -> Scores:
    found: Scores = {}
    for part in parts:
        for i, score in part.items():
            found[i] = max(score, found.get(i, 0.0))
    return found


def _all(
    find: Find, selected: Selected, keys: Sequence[Key], rows: Sequence[int]
) -> Scoring:
    parts: list[Scores] = []
    for one in keys:
        found = yield from scores(find, selected, one, rows)
        parts.append(found)
        rows = [i for i in rows if i in found]
    return _mean(parts)


def _any(
    find: Find, selected: Selected, keys: Sequence[Key], rows: Sequence[int]
) -> Scoring:
    parts: list[Scores] = []
    for one in keys:
        parts += [(yield from scores(find, selected, one, rows))]
    return _best(parts)


def _text(find: Find, selected: Selected, key: Text, rows: Sequence[int]) -> Scoring:
    whole = yield from find(selected, key, rows)
    found = dict.fromkeys(whole, FULL)
    words = list({casemap(w): w for w in WORD.findall(key.needle)}.values())
    words = words[:MOST_WORDS]
    if not words:
        return found
    left = [i for i in rows if i not in found]
    total = dict.fromkeys(left, 0.0)
    hits = dict.fromkeys(left, 0)
    for word in words:
        missing = left
        for form, worth in _forms(word):
            occurs = yield from find(selected, replace(key, needle=form), missing)
            for i in occurs:
                total[i] += worth
                hits[i] += 1
            having = set(occurs)
            missing = [i for i in missing if i not in having]
    enough = (len(words) + 1) // 2
    found |= {i: FULL * total[i] / len(words) for i in left if hits[i] >= enough}
    return found


def _forms(word: str) -> list[tuple[str, float]]:
    forms = [(word, WORD_SCORE)]
    if len(word) >= SHORT_WORD:
        forms.append((word[: -(-len(word) * 3 // 4)], START_SCORE))
    return forms


def _near(
    rows: Sequence[int], values: Sequence[int], start: int, end: int, margin: float
) -> Scores:
    """Score values by their distance from [start, end); a margin below 1 is a share."""
    found: Scores = {}
    for i in rows:
        value = values[i]
        bound = start if value < start else end - 1
        distance = 0 if start <= value < end else abs(value - bound)
        near = margin if margin >= 1 else max(1.0, bound * margin)
        if distance < near:
            found[i] = max(1.0, FULL * (1 - distance / near))
    return found
