"""Deliver messages: each is one Content, whoever receives it."""

from collections.abc import Sequence

from mailhost.store.content import Prepared
from mailhost.store.filing import Filing, file_all, make_contents, places
from mailhost.store.values import Stored, Target

Delivery = tuple[Prepared, Sequence[Target]]


def deliver_many(deliveries: Sequence[Delivery]) -> list[list[Stored]]:
    """Store each message for its targets, as a few statements for all.

    Returns for each delivery what was stored for each target, in their order. Raises
    NoSuchFolder or OverQuota for the whole; the gate then tries each alone.
    """
    targets = [target for _, those in deliveries for target in those]
    found = places(targets)
    contents = make_contents([prepared for prepared, _ in deliveries])
    filings = [
        Filing(content, prepared, target, found[target.account_id, target.folder_id])
        for content, (prepared, those) in zip(contents, deliveries, strict=True)
        for target in those
    ]
    stored = iter(file_all(filings))
    return [[next(stored) for _ in those] for _, those in deliveries]
