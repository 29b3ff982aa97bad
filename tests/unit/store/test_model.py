"""Random changes to a store, against a list in memory that does the same."""

import itertools
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import pytest
from django.test import TestCase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailhost.mail.models import Tombstone
from mailhost.store import append, change, changes, folders
from mailhost.store import flags as f
from mailhost.store.content import prepare
from mailhost.store.folders import account_usage
from mailhost.store.values import FolderInfo
from mailhost.store.view import Generation, Views, difference, views

serial = itertools.count(1)

NUMBERS = st.lists(st.integers(1, 12), max_size=6)
FLAGS = st.sampled_from([f.SEEN, f.FLAGGED, f.DELETED, f.SEEN | f.DELETED, 0])
WORDS = st.sampled_from([(), ("$Junk",), ("a", "B")])
PLACES = st.integers(0, 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), PLACES, FLAGS, WORDS),
        st.tuples(st.just("add"), PLACES, NUMBERS, FLAGS, WORDS),
        st.tuples(st.just("remove"), PLACES, NUMBERS, FLAGS, WORDS),
        st.tuples(st.just("set"), PLACES, NUMBERS, FLAGS, WORDS),
        st.tuples(st.just("copy"), PLACES, NUMBERS, PLACES),
        st.tuples(st.just("move"), PLACES, NUMBERS, PLACES),
        st.tuples(st.just("expunge"), PLACES, st.none() | NUMBERS),
    ),
    max_size=25,
)


@dataclass
class Box:
    """A folder as the model has it: {uid: (flags, keywords)} and the next UID."""

    id: int
    rows: dict[int, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    next: int = 1
    gone: set[int] = field(default_factory=set)
    modseq: int = 0
    told: Generation | None = None
    patched: bool = False  # by the step just done

    def put(self, marks: tuple[int, tuple[str, ...]]) -> int:
        self.rows[self.next] = marks
        self.next += 1
        return self.next - 1


class World:
    """The store and its model, changed together."""

    def __init__(self) -> None:
        from accounts.models import User

        user = User.objects.create_user(f"u{next(serial)}@model.test")
        self.account = user.account.pk
        inbox = folders.open_folder(self.account, "INBOX")
        other = folders.create_folder(self.account, "Other")
        self.boxes = [Box(inbox.id), Box(other.id)]
        self.message = prepare(b"Subject: x\r\n\r\nbody\r\n")

    def do(self, name: str, place: int, *rest: Any) -> None:
        with (
            mock.patch.object(changes.hub, "on_publish", None),
            TestCase.captureOnCommitCallbacks(execute=True),
        ):
            getattr(self, name)(self.boxes[place], *rest)

    def append(self, box: Box, flags: int, words: tuple[str, ...]) -> None:
        stored = append.append(self.account, box.id, self.message, flags, words)
        assert stored.uid == box.put((flags, words))

    def add(
        self, box: Box, uids: list[int], flags: int, words: tuple[str, ...]
    ) -> None:
        def new(old: tuple[int, tuple[str, ...]]) -> tuple[int, tuple[str, ...]]:
            return old[0] | flags, (*old[1], *(w for w in words if w not in old[1]))

        result = change.add_flags(self.account, box.id, uids, flags, words)
        self._marked(box, uids, new, result.changed)

    def remove(
        self, box: Box, uids: list[int], flags: int, words: tuple[str, ...]
    ) -> None:
        def new(old: tuple[int, tuple[str, ...]]) -> tuple[int, tuple[str, ...]]:
            return old[0] & ~flags, tuple(w for w in old[1] if w not in words)

        result = change.remove_flags(self.account, box.id, uids, flags, words)
        self._marked(box, uids, new, result.changed)

    def set(
        self, box: Box, uids: list[int], flags: int, words: tuple[str, ...]
    ) -> None:
        result = change.set_flags(self.account, box.id, uids, flags, words)
        self._marked(box, uids, lambda _: (flags, words), result.changed)

    @staticmethod
    def _marked(box: Box, uids: list[int], new: Any, changed: tuple[int, ...]) -> None:
        expected = []
        for uid in sorted({u for u in uids if u in box.rows}):
            marks = new(box.rows[uid])
            if marks != box.rows[uid]:
                expected.append(uid)
            box.rows[uid] = marks
        assert list(changed) == expected
        box.patched = bool(expected)

    def copy(self, box: Box, uids: list[int], to: int) -> None:
        target = self.boxes[to]
        there = sorted({u for u in uids if u in box.rows})
        pairs = tuple((u, target.put(box.rows[u])) for u in there)
        result = change.copy(self.account, box.id, uids, self.account, target.id)
        assert result.pairs == pairs

    def move(self, box: Box, uids: list[int], to: int) -> None:
        target = self.boxes[to]
        there = sorted({u for u in uids if u in box.rows})
        pairs = []
        for uid in there:
            pairs.append((uid, target.put(box.rows.pop(uid))))
            box.gone.add(uid)
        result = change.move(self.account, box.id, uids, self.account, target.id)
        box.patched = box is not target and bool(pairs)
        assert result.pairs == tuple(pairs)

    def expunge(self, box: Box, uids: list[int] | None) -> None:
        doomed = sorted(
            uid
            for uid, (flags, _) in box.rows.items()
            if flags & f.DELETED and (uids is None or uid in uids)
        )
        for uid in doomed:
            del box.rows[uid]
            box.gone.add(uid)
        assert list(change.expunge(self.account, box.id, uids).uids) == doomed
        box.patched = bool(doomed)

    def compare(self) -> None:
        for box in self.boxes:
            self._compare(box)
        octets, messages = account_usage(self.account)
        assert messages == sum(len(box.rows) for box in self.boxes)
        assert octets == messages * self.message.size

    def _compare(self, box: Box) -> None:
        info = folders.folder_by_id(self.account, box.id)
        flags = [flags for flags, _ in box.rows.values()]
        assert info.uid_next == box.next
        assert info.messages == len(flags)
        assert info.unseen == sum(not x & f.SEEN for x in flags)
        assert info.deleted == sum(bool(x & f.DELETED) for x in flags)
        assert info.bytes == len(flags) * self.message.size
        assert info.modseq >= box.modseq, "a modseq never falls"
        if box.patched:
            held = views.current(box.id)
            assert held is not None
            assert held.modseq == info.modseq, "the view was not brought up in place"
        box.patched = False
        view = views.get(box.id)
        assert dict(
            zip(
                view.uids,
                zip(view.flags, map(view.keywords.get, view.uids), strict=True),
                strict=True,
            )
        ) == {u: (x, " ".join(w) or None) for u, (x, w) in sorted(box.rows.items())}
        assert all(m <= info.modseq for m in view.modseqs)
        dead = Tombstone.objects.filter(folder_id=box.id).values_list("uid", flat=True)
        assert set(dead) == box.gone
        for modseq in (0, box.modseq, info.modseq - 1, info.modseq):
            scanned = [at for at, m in enumerate(view.modseqs) if m > modseq]
            assert view.changed_since(modseq) == scanned
        if box.told is not None:
            told = difference(box.told, view)
            assert set(told.gone) == set(box.told.uids) - set(box.rows)
            assert set(told.new) == set(box.rows) - set(box.told.uids)
        for column in ("uids", "flags", "modseqs", "sizes", "dates", "keywords"):
            assert getattr(view, column) == getattr(loaded(info), column)
        box.told, box.modseq = view, info.modseq


def loaded(info: FolderInfo) -> Generation:
    """Return the folder as a process sees it that never did before."""
    return Views().at(info.id, info.uid_validity, info.modseq, 0)


@pytest.mark.engines
@pytest.mark.django_db
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STEPS)
def test_the_store_does_what_a_list_would(steps: list[tuple[Any, ...]]) -> None:
    views.clear()
    world = World()
    for step in steps:
        world.do(*step)
        world.compare()
