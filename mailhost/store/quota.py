"""What an account may hold and what it holds. RFC 9208 §5."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from accounts.limits import DomainFull
from accounts.models import Account, User
from mailhost.mail.models import AccountState
from mailhost.store import sql
from mailhost.store.errors import NoSuchQuota, NotPermitted, OverQuota
from mailhost.store.flags import DELETED
from mailhost.store.values import FolderInfo

MOST = 1 << 62  # octets that nobody has
LIMITED = """
    SELECT s.account_id, s.bytes, s.messages, a.quota_bytes, a.quota_messages
    FROM mail_accountstate s JOIN accounts_account a ON a.id = s.account_id
"""
MANAGES = "accounts.change_account"  # the permission to set quotas


@dataclass(frozen=True, slots=True)
class Usage:
    """Octets and messages, and their limits; None: no limit."""

    bytes: int
    messages: int
    most_bytes: int | None
    most_messages: int | None

    def check(self, more_bytes: int, more_messages: int) -> None:
        """Raise OverQuota where so much more has no room."""
        if (
            self.most_bytes is not None and self.bytes + more_bytes > self.most_bytes
        ) or (
            self.most_messages is not None
            and self.messages + more_messages > self.most_messages
        ):
            raise OverQuota("The account is full")


def usage_of(
    used: tuple[int, int], most_bytes: int | None, most_messages: int | None
) -> Usage:
    """Put together what the rows of an account say."""
    default = settings.MAILHOST_DEFAULT_QUOTA_BYTES or None
    return Usage(*used, default if most_bytes is None else most_bytes, most_messages)


def usage(account_id: int) -> Usage:
    """Return what the account holds and may hold."""
    row = (
        AccountState.objects.filter(account_id=account_id)
        .values_list(
            "bytes", "messages", "account__quota_bytes", "account__quota_messages"
        )
        .first()
    )
    if row is None:
        raise NoSuchQuota("No such quota root")
    return usage_of(row[:2], *row[2:])


def rooms(account_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return {account: (octets it can still take, octets it may hold)}; one query.

    An account without a limit is left out; one with its number of messages used up
    can take none.
    """
    ids = sorted(account_ids)
    if not ids:
        return {}
    condition, parameters = sql.among("s.account_id", ids)
    rows = sql.rows(f"{LIMITED} WHERE {condition}", parameters)
    found = {}
    for account, octets, messages, *limits in rows:
        most = usage_of((octets, messages), *limits)
        whole = MOST if most.most_bytes is None else most.most_bytes
        if most.most_messages is not None and messages >= most.most_messages:
            found[account] = (0, whole)
        elif most.most_bytes is not None:
            found[account] = (whole - octets, whole)
    return found


def deleted_bytes(folders: Iterable[FolderInfo]) -> dict[int, int]:
    r"""Return {folder: octets of its messages flagged \Deleted}. RFC 9208 §4.1.4."""
    some = [one.id for one in folders if one.deleted]
    if not some:
        return {}
    condition, parameters = sql.among("folder_id", sorted(some))
    return {
        folder: int(octets)
        for folder, octets in sql.rows(
            "SELECT folder_id, sum(size) FROM mail_message"  # noqa: S608
            f" WHERE flags & {DELETED} <> 0 AND {condition} GROUP BY folder_id",
            parameters,
        )
    }


def set_limits(
    asker_id: int, account_id: int, most_bytes: int | None, most_messages: int | None
) -> Usage:
    """Set both limits, None: the server's default; return how it is then.

    For staff who may change accounts, nobody else: an owner does not raise their own.
    Raises NoSuchQuota; NotPermitted where the domain has no room for it.
    """
    if not may_manage(asker_id):
        raise NoSuchQuota("You may not set this quota")
    account = Account.objects.get(pk=account_id)
    account.quota_bytes, account.quota_messages = most_bytes, most_messages
    try:
        account.save(update_fields=["quota_bytes", "quota_messages"])
    except DomainFull as full:
        raise NotPermitted(" ".join(full.messages)) from None
    return usage(account_id)


def may_manage(user_id: int) -> bool:
    """Tell whether this user sets and sees the quota of every account."""
    user = User.objects.filter(pk=user_id, is_active=True, is_staff=True).first()
    return user is not None and user.has_perm(MANAGES)


def account_named(name: str) -> int:
    """Return the account of this name, for who may manage. Raises NoSuchQuota."""
    found = Account.objects.filter(Q(name=name) | Q(owner__email=name))
    ids = list(found.values_list("pk", flat=True)[:2])
    if len(ids) != 1:
        raise NoSuchQuota("No such quota root")
    return ids[0]
