"""The copy in Sent of what a mail program sent, where its user wants the server's.

A program that saves its own makes a second one: users choose one of the two.
"""

import logging

from accounts import addresses
from mailhost.mime.headers import block_end, get
from mailhost.store import append, flags, folders, rights
from mailhost.store.content import Prepared
from mailhost.store.errors import NoSuchFolder, StoreError
from mailhost.store.gate import gate
from mailhost.store.values import FolderInfo, Stored

log = logging.getLogger(__name__)


async def keep(user_id: int, address: str, octets: bytes, sent: bytes) -> None:
    """Put a copy of octets, Bcc included, into Sent; what was sent has its names.

    It went out already: a full account changes nothing.
    """
    account_id = await gate.read(account_for, user_id, address)
    if account_id is None:
        return
    try:
        prepared = await gate.prepare(named_as(octets, sent))
        await gate.write([account_id], _put, account_id, prepared)
    except StoreError:
        log.warning("the copy of a sent message was not kept", exc_info=True)


def _put(account_id: int, prepared: Prepared) -> Stored:
    folder = with_role(account_id, "sent", "Sent")
    return append.append(account_id, folder.id, prepared, flags.SEEN)


def named_as(octets: bytes, sent: bytes) -> bytes:
    """Return octets with the Date and Message-ID that were added to what was sent."""
    header, whole = (o[: block_end(o, 0, len(o))] for o in (octets, sent))
    added = b""
    for name in (b"Date", b"Message-ID"):
        value = get(whole, name)
        if get(header, name) is None and value is not None:
            added += name + b": " + value + b"\r\n"
    return added + octets


def account_for(user_id: int, address: str) -> int | None:
    """Return the account that keeps what is sent as an address: a shared one its own.

    None where the user has no account to put anything into.
    """
    leads_to = addresses.resolve(address).account_ids if address else ()
    mine = [one for one in rights.accounts_of(user_id) if "i" in one.rights]
    found = sorted(mine, key=lambda one: one.id not in leads_to)
    return found[0].id if found else None


def with_role(account_id: int, role: str, name: str) -> FolderInfo:
    """Return the folder of a role; make it where there is none. In a transaction."""
    found = folders.folder_by_role(account_id, role)
    if found is not None:
        return found
    try:
        return folders.open_folder(account_id, name)
    except NoSuchFolder:
        return folders.create_folder(account_id, name, role)
