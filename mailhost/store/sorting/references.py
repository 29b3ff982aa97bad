"""Which message answers which: steps 1 to 3 of REFERENCES. RFC 5256 §3, THREAD.

Messages are numbered from 0 in the order of the mailbox; ids without a message get
dummies, numbered from there on. The work is bounded by what the messages hold: see
WALKS.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

# Steps towards a root, for each message, that are spent on the question whether a link
# would close a loop. Real mail needs next to none; mail made to need more loses links.
WALKS = 200


@dataclass(slots=True)
class Links:
    """The parents of messages and dummies; -1 for none."""

    ids: Sequence[str]  # "" for none
    references: Sequence[Sequence[str]]
    parents: list[int] = field(init=False)
    _has_children: bytearray = field(init=False)
    _walks: int = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.ids)
        self.parents = [-1] * count
        self._has_children = bytearray(count)
        self._walks = WALKS * (count + 1)
        self._link()

    def _link(self) -> None:
        nodes: dict[str, int] = {}
        for message, one in enumerate(self.ids):
            if one:
                # Of several with one id, the first has it.
                nodes.setdefault(one, message)
        parents = self.parents
        for message, references in enumerate(self.references):
            last = -1
            for one in references:  # 1.A
                node = nodes.get(one)
                if node is None:
                    node = nodes[one] = self._dummy()
                if last >= 0 and parents[node] < 0:
                    self._make_child(node, last)
                last = node
            parents[message] = -1  # 1.B
            if last >= 0:
                self._make_child(message, last)

    def _dummy(self) -> int:
        self.parents.append(-1)
        self._has_children.append(0)
        return len(self.parents) - 1

    def _make_child(self, child: int, parent: int) -> None:
        if not self._is_above(child, parent):
            self.parents[child] = parent
            self._has_children[parent] = 1

    def _is_above(self, node: int, below: int) -> bool:
        """Whether `below` is `node` or descends from it; also when it is not known."""
        if node == below:
            return True
        if not self._has_children[node]:
            return False
        while (below := self.parents[below]) >= 0 and below != node:
            self._walks -= 1
            if self._walks < 0:
                return True
        return below == node

    def families(self) -> dict[int, list[int]]:
        """Return the children of each node; those of -1 are the roots. Steps 2 and 3.

        Dummies are left only as roots of several children.
        """
        count = len(self.ids)
        children: dict[int, list[int]] = {-1: []}
        above: dict[int, int] = {}
        for message in range(count):
            children.setdefault(self._anchor(message, count, above), []).append(message)
        for dummy in [node for node in children if node >= count]:
            if len(children[dummy]) == 1:
                children[-1] += children.pop(dummy)
            else:
                children[-1].append(dummy)
        return children

    def _anchor(self, message: int, count: int, above: dict[int, int]) -> int:
        """Return the next message above, else the dummy at the top, else -1."""
        passed = []
        node = self.parents[message]
        while node >= count and self.parents[node] >= 0:
            if node in above:
                node = above[node]
                break
            passed.append(node)
            node = self.parents[node]
        above.update(dict.fromkeys(passed, node))
        return node
