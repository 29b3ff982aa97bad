"""Senders whose mail goes to Junk, for an account. What was filed already stays."""

from collections.abc import Iterable, Sequence

from django.dispatch import Signal

from accounts.names import split_address
from mailhost.mail.models import BlockedSender
from mailhost.store import sql
from mailhost.store.errors import TooMany

MOST = 5_000  # of an account
changed = Signal()  # in this process, before the commit
JUNK = """
    SELECT b.account_id, f.id FROM mail_blockedsender b
    JOIN mail_folder f ON f.account_id = b.account_id AND f.role = 'junk' WHERE
"""


def folded(address: str) -> str:
    """Return an address as it is compared."""
    return "@".join(split_address(address))[:320]


def block(account_id: int, address: str) -> None:
    """Block a sender. Raises TooMany."""
    rows = BlockedSender.objects.filter(account_id=account_id)
    if rows.count() >= MOST:
        raise TooMany("Too many senders are blocked")
    BlockedSender.objects.get_or_create(account_id=account_id, address=folded(address))
    changed.send(BlockedSender)


def unblock(account_id: int, address: str) -> None:
    """Block a sender no longer."""
    BlockedSender.objects.filter(
        account_id=account_id, address=folded(address)
    ).delete()
    changed.send(BlockedSender)


def blocked(account_id: int) -> list[str]:
    """Return the senders an account blocks."""
    rows = BlockedSender.objects.filter(account_id=account_id).order_by("address")
    return list(rows.values_list("address", flat=True))


def who_block(account_ids: Iterable[int]) -> set[int]:
    """Return those of the accounts that block anybody."""
    rows = BlockedSender.objects.filter(account_id__in=list(account_ids))
    return set(rows.values_list("account_id", flat=True).distinct())


def junk_of(account_ids: Sequence[int], senders: Sequence[str]) -> dict[int, int]:
    """Return {account: its Junk} of those that block one of the senders; one query."""
    accounts, ids = sql.one_of("b.account_id", list(account_ids))
    names, addresses = sql.one_of("b.address", [folded(one) for one in senders])
    return dict(sql.rows(f"{JUNK} {accounts} AND {names}", [*ids, *addresses]))
