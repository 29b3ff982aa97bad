"""Conversations that somebody wants to hear no more of: the keyword $muted.

Set on any message it mutes the whole conversation, taken from any it ends that, by
whatever program: draft-ietf-mailmaint-messageflag-mailboxattribute (text not read). New
mail of a muted one is filed to Archive instead of INBOX, as read.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mailhost.store import flags, sql

if TYPE_CHECKING:
    from mailhost.store.filing import Filing

WORD = "$muted"
MUTE = """
    INSERT INTO mail_mutedthread (thread_id)
    SELECT DISTINCT thread_id FROM mail_message
    WHERE folder_id = %s AND thread_id IS NOT NULL AND
"""
UNMUTE = """
    DELETE FROM mail_mutedthread WHERE thread_id IN
    (SELECT thread_id FROM mail_message WHERE folder_id = %s AND
"""
ARCHIVES = "SELECT account_id, id FROM mail_folder WHERE role = 'archive' AND "


# Keywords before and after, and the UIDs of the messages that have them.
Worded = tuple[Sequence[str], Sequence[str], Sequence[int]]


def follow(folder_id: int, changes: Sequence[Worded]) -> None:
    """Mute, or no longer, the conversations of messages whose keywords changed."""
    for muted in (True, False):
        uids = [
            uid
            for before, after, those in changes
            if _is_in(after) == muted != _is_in(before)
            for uid in those
        ]
        _note(folder_id, uids, muted=muted)


def _is_in(keywords: Sequence[str]) -> bool:
    return any(word.lower() == WORD for word in keywords)


def _note(folder_id: int, uids: Sequence[int], *, muted: bool) -> None:
    if not uids:
        return
    condition, parameters = sql.among("uid", sorted(uids))
    if muted:
        end = f"{condition} ON CONFLICT DO NOTHING"
        sql.run(f"{MUTE} {end}", [folder_id, *parameters])
    else:
        sql.run(f"{UNMUTE} {condition})", [folder_id, *parameters])


def among(thread_ids: Sequence[int]) -> set[int]:
    """Return those of these conversations that are muted."""
    if not thread_ids:
        return set()
    condition, parameters = sql.one_of("thread_id", sorted(set(thread_ids)))
    found = sql.rows(
        f"SELECT thread_id FROM mail_mutedthread WHERE {condition}",  # noqa: S608
        parameters,
    )
    return {thread_id for (thread_id,) in found}


def divert(filings: "Sequence[Filing]", thread_ids: Sequence[int]) -> None:
    """Aim what is delivered to INBOX, and is of a muted conversation, at Archive.

    Where a rule chose the folder, or there is no Archive, only the marks change.
    """
    muted = among([t for x, t in zip(filings, thread_ids, strict=True) if _is_new(x)])
    if not muted:
        return
    those = [
        x
        for x, thread in zip(filings, thread_ids, strict=True)
        if thread in muted and _is_new(x)
    ]
    condition, ids = sql.one_of("account_id", [x.place.account_id for x in those])
    archives = dict(sql.rows(ARCHIVES + condition, ids))
    for x in those:
        words = (*x.target.keywords, WORD)
        bits = x.target.flags | flags.SEEN
        x.target = replace(x.target, flags=bits, keywords=words)
        folder_id = archives.get(x.place.account_id)
        if folder_id is not None and x.target.folder_id is None:
            x.place = replace(x.place, folder_id=folder_id)


def _is_new(filing: "Filing") -> bool:
    """Whether it is delivered, not put there by its owner."""
    return bool(filing.target.delivered_to)


def members(account_id: int, thread_ids: Sequence[int]) -> dict[int, list[int]]:
    """Return {folder: UIDs} of conversations, ascending; Trash and Junk aside."""
    if not thread_ids:
        return {}
    condition, parameters = sql.one_of("m.thread_id", sorted(set(thread_ids)))
    found: dict[int, list[int]] = {}
    for folder_id, uid in sql.rows(
        "SELECT m.folder_id, m.uid FROM mail_message m"  # noqa: S608
        f" JOIN mail_folder f ON f.id = m.folder_id WHERE {condition}"
        " AND +m.account_id = %s AND f.role NOT IN ('trash', 'junk')"
        " ORDER BY m.folder_id, m.uid",
        [*parameters, account_id],
    ):
        found.setdefault(folder_id, []).append(uid)
    return found
