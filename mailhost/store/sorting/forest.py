"""Trees of messages: sorted by date, joined by subject, written. RFC 5256 §3, §5.

A node below `count` is a message, one above is a dummy: a root whose message is not
there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Forest:
    """`children` of nodes; those of -1 are the roots. `dates` of the messages."""

    children: dict[int, list[int]]
    dates: Sequence[int]
    next_dummy: int = field(default=0)
    _when: list[int] = field(init=False)  # of messages: dates, then their order

    def __post_init__(self) -> None:
        self._when = [(date << 32) | n for n, date in enumerate(self.dates)]
        highest = max(self.children, default=0)
        self.next_dummy = max(highest + 1, len(self.dates))

    @property
    def roots(self) -> list[int]:
        return self.children[-1]

    def is_dummy(self, node: int) -> bool:
        """Tell whether there is no message there."""
        return node >= len(self.dates)

    def first(self, node: int) -> int:
        """Return the message that stands for a node: a dummy's first child."""
        return self.children[node][0] if self.is_dummy(node) else node

    def sort(self) -> None:
        """Sort siblings by date, roots after their children. Steps 4 and 6."""
        when = self._when
        for node, children in self.children.items():
            if node >= 0 and len(children) > 1:
                children.sort(key=when.__getitem__)
        self.roots.sort(key=lambda node: when[self.first(node)])

    def sort_by_newest(self) -> None:
        """Sort siblings by date, and roots by the newest message below each."""
        self.sort()
        when = self._when
        newest = {r: max(when[m] for m in self.below(r)) for r in self.roots}
        self.roots.sort(key=newest.__getitem__)

    def below(self, root: int) -> list[int]:
        """Return the messages of a thread."""
        found, left = [], [root]
        while left:
            node = left.pop()
            left += self.children.get(node, ())
            if not self.is_dummy(node):
                found.append(node)
        return found

    def join(self, subjects: Sequence[str], replies: Sequence[bool]) -> None:
        """Join threads of one base subject. Step 5; sort before and after."""
        table: dict[str, int] = {}  # 5.B
        for root in self.roots:
            subject = subjects[self.first(root)]
            if not subject:
                continue
            other = table.get(subject)
            if other is None or self._stands_before(root, other, replies):
                table[subject] = root
        merged: set[int] = set()
        made: list[int] = []
        for root in self.roots:  # 5.C
            subject = subjects[self.first(root)]
            other = table.get(subject, root)
            if other == root:
                continue
            merged.add(root)
            if self.is_dummy(other):
                family = self.children
                kin = family.pop(root) if self.is_dummy(root) else [root]
                family[other] += kin
            elif replies[root] and not replies[other]:
                self.children.setdefault(other, []).append(root)
            else:
                merged.add(other)
                made.append(self._dummy_over(other, root))
                table[subject] = made[-1]
        self.children[-1] = [r for r in (*self.roots, *made) if r not in merged]

    def _stands_before(self, root: int, other: int, replies: Sequence[bool]) -> bool:
        if self.is_dummy(other):
            return False
        return self.is_dummy(root) or (replies[other] and not replies[root])

    def _dummy_over(self, *nodes: int) -> int:
        dummy = self.next_dummy
        self.next_dummy += 1
        self.children[dummy] = list(nodes)
        return dummy

    def written(self) -> tuple[bytes, list[int]]:
        """Return the threads with a %d for each message, and the messages in order.

        thread-list of RFC 5256 §5; however deep, without recursion.
        """
        parts: list[str] = []
        order: list[int] = []
        left: list[int | None] = list(reversed(self.roots))
        while left:
            node = left.pop()
            if node is None:
                parts.append(")")
                continue
            start = "("
            children = [node]
            while len(children) == 1:
                node = children[0]
                children = self.children.get(node, [])
                if not self.is_dummy(node):
                    parts.append(start + "%d")
                    order.append(node)
                    start = " "
            if not children:
                parts.append(")")
                continue
            parts.append(start)
            left.append(None)
            left += reversed(children)
        return "".join(parts).encode(), order
