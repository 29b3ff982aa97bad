r"""Flags as octets, each combination written once."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from mailhost.store import flags as store_flags
from mailhost.store.view import Generation

ALL_BITS = 32


@lru_cache(maxsize=4096)
def flag_list(bits: int, keywords: str = "", *, recent: bool = False) -> bytes:
    r"""Return `(\Seen $Forwarded)`. `keywords` has spaces between."""
    words = [*store_flags.names(bits), *keywords.split()]
    if recent:
        words.append("\\Recent")
    return f"({' '.join(words)})".encode()


PLAIN = [flag_list(bits) for bits in range(ALL_BITS)]
RECENT = [flag_list(bits, recent=True) for bits in range(ALL_BITS)]


def flag_lists(now: Generation, at: Sequence[int], recent_from: int) -> list[bytes]:
    r"""Return the flags of these rows of `now`; \Recent from this UID on.

    The rows ascend, or descend.
    """
    flags, uids, keywords = now.flags, now.uids, now.keywords
    if not at:
        return []
    if not keywords and uids[max(at[0], at[-1])] < recent_from:
        table = PLAIN
        if at[-1] - at[0] + 1 == len(at):
            return [table[bits] for bits in flags[at[0] : at[-1] + 1]]
        return [table[flags[i]] for i in at]
    return list(_each(now, at, recent_from))


def _each(now: Generation, at: Sequence[int], recent_from: int) -> Iterable[bytes]:
    for i in at:
        uid, bits = now.uids[i], now.flags[i]
        words = now.keywords.get(uid)
        recent = uid >= recent_from
        if words:
            yield flag_list(bits, words, recent=recent)
        else:
            yield (RECENT if recent else PLAIN)[bits]
