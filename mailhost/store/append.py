"""APPEND and import: messages put into a folder by their owner."""

from collections.abc import Sequence
from datetime import datetime

from mailhost.store.content import Prepared
from mailhost.store.deliver import deliver_many
from mailhost.store.values import Stored, Target

Item = tuple[Prepared, int, tuple[str, ...], datetime | None]


def append(
    account_id: int,
    folder_id: int,
    prepared: Prepared,
    flags: int = 0,
    keywords: tuple[str, ...] = (),
    internal_date: datetime | None = None,
) -> Stored:
    """Put one message into a folder. Raises NoSuchFolder, OverQuota."""
    item = (prepared, flags, keywords, internal_date)
    return append_many(account_id, folder_id, [item])[0]


def append_many(account_id: int, folder_id: int, items: Sequence[Item]) -> list[Stored]:
    """Put messages into a folder, all or none: (prepared, flags, keywords, date) each.

    RFC 3502 §6.3.11. Raises NoSuchFolder, OverQuota.
    """
    return append_all([(account_id, folder_id, items)])[0]


def append_all(
    groups: Sequence[tuple[int, int, Sequence[Item]]],
) -> list[list[Stored]]:
    """Do as `append_many` for several (account, folder, items), all or none."""
    deliveries = [
        (
            prepared,
            [Target(account_id, folder_id, flags, keywords, internal_date)],
        )
        for account_id, folder_id, items in groups
        for prepared, flags, keywords, internal_date in items
    ]
    stored = iter(deliver_many(deliveries))
    return [[next(stored)[0] for _ in items] for _, _, items in groups]
