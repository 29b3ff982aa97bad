"""Sets of message numbers or UIDs, read and written. RFC 9051 §9, sequence-set."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """As the client wrote it. `None` stands for "*"; `saved` for "$" (RFC 5182)."""

    ranges: tuple[tuple[int | None, int | None], ...] = ()
    saved: bool = False

    def spans(self, known: Sequence[int]) -> list[tuple[int, int]]:
        """Return disjoint ascending [start, end) of indexes of `known` (ascending).

        "*" is the last of them, and a range may be written from either end. The cost
        follows `known`, not the numbers written: `1:4294967295` is a short request.
        """
        last = known[-1] if known else 0
        found: list[tuple[int, int]] = []
        for a, b in self.ranges:
            low, high = sorted((last if a is None else a, last if b is None else b))
            start, end = bisect_left(known, low), bisect_right(known, high)
            if start < end:
                found.append((start, end))
        return merged(found)

    def bounded(self, top: int) -> list[tuple[int, int]]:
        """Return disjoint ascending [start, end) of numbers up to `top`, which "*" is.

        Of "$" there is nothing to return.
        """
        ends = [
            sorted((top if a is None else a, top if b is None else b))
            for a, b in self.ranges
        ]
        return merged((low, min(high, top) + 1) for low, high in ends if low <= top)


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sort [start, end) spans and join those that touch."""
    result: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            if end > result[-1][1]:
                result[-1] = (result[-1][0], end)
        else:
            result.append((start, end))
    return result


def written(numbers: Iterable[int]) -> str:
    """Write ascending numbers as a set: `3,5:7`."""
    parts: list[str] = []
    first = last = 0
    for number in numbers:
        if last and number == last + 1:
            last = number
            continue
        if last:
            parts.append(_span(first, last))
        first = last = number
    if last:
        parts.append(_span(first, last))
    return ",".join(parts)


def written_spans(spans: Iterable[tuple[int, int]]) -> str:
    """Write disjoint ascending [start, end) of numbers as a set."""
    return ",".join(_span(start, end - 1) for start, end in spans)


def written_in_order(numbers: Sequence[int]) -> str:
    """Write numbers in any order, keeping it: COPYUID pairs them up. RFC 4315 §4.3."""
    return written(numbers)


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}:{last}"
