"""A memory with a limit, the least recently used first to go."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from django.conf import settings

from mailhost.store.view import views

T = TypeVar("T")


class Kept(Generic[T]):
    """Values by key, in so many octets. Safe to call in any thread.

    `weight` returns about how many octets a key and a value take. All of a kind share
    MAILHOST_SORT_CACHE_MB, each `share` of it.
    """

    def __init__(self, weight: Callable[[Hashable, T], int], share: float) -> None:
        self._weight = weight
        self._share = share
        self._guard = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._used = 0
        views.cleared.append(self.clear)

    def get(self, key: Hashable) -> T | None:
        """Return what is kept, or None."""
        with self._guard:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: T) -> None:
        """Keep it if it is not too large; what was asked for longest ago goes."""
        weight = self._weight(key, value)
        limit = int((settings.MAILHOST_SORT_CACHE_MB << 20) * self._share)
        with self._guard:
            _, before = self._values.pop(key, (None, 0))
            self._used -= before
            if weight > limit:
                return
            self._used += weight
            self._values[key] = value, weight
            while self._used > limit:
                _, (_, freed) = self._values.popitem(last=False)
                self._used -= freed

    def clear(self) -> None:
        """Forget all."""
        with self._guard:
            self._values.clear()
            self._used = 0
