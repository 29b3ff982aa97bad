"""Mailbox names on the wire and folders in the store. RFC 2342, RFC 9051 §5.1.

A user's own folders have no prefix; those of a shared account, and those that another
user shares, stand under `Shared/<account>/`, where the account of a user is named by
their login. The separator is "/" everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailhost.store import folders, rights
from mailhost.store.errors import NoSuchFolder
from mailhost.store.reading import NotBrief, here
from mailhost.store.values import AccountInfo, FolderInfo
from protocols.imap import utf7
from protocols.imap.effects import Read, Steps
from protocols.imap.responses import astring, quoted
from protocols.imap.session import Session

SHARED = "Shared"
Place = tuple[int, str]  # account, name of the folder in it


def written(session: Session, name: str) -> str:
    """Write a name for this client: UTF-8 quoted, or modified UTF-7."""
    if session.utf8:
        return quoted(name) if not name.isascii() else astring(name)
    return astring(utf7.encode(name))


class SharesUnknown(Exception):
    """A name under Shared/ leads nowhere as far as is known: look again."""


def places(session: Session, name: str) -> Place:
    """Return where the folder of this name is, whether there is one or not.

    Raises SharesUnknown, before anything is done: the connection looks up what is
    shared and runs the command again. A right counts as soon as it is given.
    """
    who = session.who()
    head, _, rest = name.partition("/")
    if head != SHARED or not rest:
        return who.account_id, name
    label, _, inner = rest.partition("/")
    ids = [a.id for a in session.shared if a.name == label]
    if not ids and not session.shares_fresh:
        raise SharesUnknown
    if not ids:
        return who.account_id, name
    if not inner:
        raise NoSuchFolder("No such mailbox")
    return ids[0], "INBOX" if inner.upper() == "INBOX" else inner


def shared_accounts(user_id: int, account_id: int) -> Sequence[AccountInfo]:
    """Return the accounts of others where the user may see something. Runs SQL.

    Their names are one level each, and differ.
    """
    if not rights.sees_others(user_id):
        return ()
    if here.brief:
        raise NotBrief
    found: dict[str, AccountInfo] = {}
    for one in rights.accounts_seen_by(user_id):
        label = one.name.replace("/", "_")
        if one.id != account_id:
            label = f"{label} ({one.id})" if label in found else label
            found[label] = replace(one, name=label)
    return tuple(found.values())


def look_up_shares(session: Session) -> Steps:
    """Look up anew what others share."""
    who = session.who()
    session.shared = yield Read(shared_accounts, (who.user_id, who.account_id))
    session.shares_fresh = True


@dataclass(frozen=True, slots=True)
class Found:
    """What a user may see: full names with their folders."""

    shared: Sequence[AccountInfo]
    folders: Sequence[tuple[str, FolderInfo]]
    subscribed: Sequence[str]  # full names


def all_folders(user_id: int, account_id: int) -> Found:
    """Return every folder the user may see. Runs SQL."""
    shared = shared_accounts(user_id, account_id)
    found = [(f.name, f) for f in folders.list_folders(account_id)]
    for account in shared:
        prefix = f"{SHARED}/{account.name}/"
        inside = folders.list_folders(account.id, user_id)
        # What they are for is the other's business. RFC 6154 §2
        found += [(prefix + one.name, replace(one, role="")) for one in inside]
    return Found(shared, found, folders.subscriptions(user_id))
