"""Quota roots: one for each account, a user's own under the login. RFC 9208 §3.2, §4.2.

A user sees the root of their own account, and of those they are a member of and may
read. Staff who may change accounts see them all.
"""

from accounts.auth import Login
from mailhost.store import quota
from mailhost.store.errors import NoSuchQuota
from mailhost.store.quota import Usage
from protocols.imap.names import shared_accounts
from protocols.imap.responses import astring, untagged

KILO = 1024  # octets of STORAGE's unit. RFC 9208 §5.1


def roots(who: Login) -> dict[str, int]:
    """Return {root: account}, the user's own first. Runs SQL."""
    found = {who.email: who.account_id}
    for one in shared_accounts(who.user_id, who.account_id):
        if "r" in one.rights:
            found.setdefault(one.name, one.id)
    return found


def account_of(who: Login, root: str) -> int:
    """Return the account a root is of. Runs SQL. Raises NoSuchQuota."""
    found = roots(who).get(root)
    if found is not None:
        return found
    if not quota.may_manage(who.user_id):
        raise NoSuchQuota("No such quota root")
    return quota.account_named(root)


def told(root: str, usage: Usage) -> bytes:
    """Write a QUOTA response: only what is limited is named. RFC 9208 §4.2.1."""
    items = []
    if usage.most_bytes is not None:
        items.append(f"STORAGE {-(-usage.bytes // KILO)} {usage.most_bytes // KILO}")
    if usage.most_messages is not None:
        items.append(f"MESSAGE {usage.messages} {usage.most_messages}")
    return untagged(f"QUOTA {astring(root)} ({' '.join(items)})")
