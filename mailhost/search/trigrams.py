"""Trigrams: what the index can be asked for."""

MOST = 5  # of one needle; more of them narrow little and cost a look-up each

# From what is everywhere to what is rare, in the languages that mail is written in;
# what is not in it is rarer still.
COMMON = " ETAONISRHLDUCMGPFWBYVK.:-,/@JXQZ0123456789"
RARITY = {letter: rank for rank, letter in enumerate(COMMON)}


def trigrams(needle: str) -> list[str]:
    """Return the rarest runs of three characters of the needle; [] if it is shorter."""
    found = {needle[i : i + 3] for i in range(len(needle) - 2)}
    return sorted(found, key=_order)[:MOST]


def _order(gram: str) -> tuple[int, str]:
    return -sum(RARITY.get(letter, len(COMMON)) for letter in gram), gram
