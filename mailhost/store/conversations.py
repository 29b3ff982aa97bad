"""Conversations: the messages of an account that belong together, whatever the folder.

A conversation stands in a folder's list where its newest message there does. Trash and
Junk are part of one only where they are the folder that is looked at. Callers have
checked the rights on the account.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailhost.mail.models import Message
from mailhost.store import flags as f
from mailhost.store import sql
from mailhost.store.read import LISTED, Listed
from mailhost.store.values import Place

NAMED = 8  # newest messages of a conversation of which the list says who wrote


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages a list shows: those that have, and lack, these flags.

    `threads`: of these conversations alone.
    """

    having: int = 0
    lacking: int = 0
    threads: tuple[int, ...] | None = None

    def condition(self, table: str) -> str:
        """Return it as SQL, with AND in front."""
        having = f" AND {table}.flags & {self.having} <> 0" if self.having else ""
        lacking = f" AND {table}.flags & {self.lacking} = 0" if self.lacking else ""
        among = ""
        if self.threads is not None:
            ids = ", ".join(map(str, self.threads)) or "NULL"  # numbers of our own
            among = f" AND {table}.thread_id IN ({ids})"
        return having + lacking + among


EVERY = Wanted()
UNREAD = Wanted(lacking=f.SEEN)
FLAGGED = Wanted(having=f.FLAGGED)


def page(
    folder_id: int,
    wanted: Wanted = EVERY,
    *,
    threaded: bool,
    before: Place | None = None,
    limit: int = 50,
) -> list[Listed]:
    """Return the newest messages before a place; of each conversation one alone."""
    rows = Message.objects.filter(folder_id=folder_id)
    if before is not None:
        rows = rows.extra(
            where=["(mail_message.internal_date, mail_message.id) < (%s, %s)"],
            params=[*sql.adapted([before.date]), before.id],
        )
    conditions = [f"1 = 1{wanted.condition('mail_message')}"]
    if threaded:
        # One look into the index (thread, folder, date) for each row that is read.
        conditions.append(
            "NOT EXISTS (SELECT 1 FROM mail_message later"  # noqa: S608 - our own names
            " WHERE later.thread_id = mail_message.thread_id"
            " AND later.folder_id = mail_message.folder_id"
            " AND later.internal_date >= mail_message.internal_date"
            " AND (later.internal_date, later.id)"
            " > (mail_message.internal_date, mail_message.id)"
            f"{wanted.condition('later')})"
        )
    chosen = rows.extra(where=conditions)  # noqa: S610 - no values
    ordered = chosen.order_by("-internal_date", "-id")
    return [Listed(*row) for row in ordered.values_list(*LISTED)[:limit]]


@dataclass(frozen=True, slots=True)
class Member:
    """Who wrote one message of a conversation, and how it is marked."""

    from_name: str
    from_address: str
    keywords: str
    has_attachment: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation in a list: its newest members, the newest first."""

    count: int
    is_unread: bool
    is_flagged: bool
    members: tuple[Member, ...]


# A copy of an e-mail is no message more; the one in the folder at hand goes first.
SUMMARIES = f"""
    SELECT r.thread_id, r.total, r.unread, r.flagged, c.from_name, c.from_address,
        r.keywords, c.has_attachment
    FROM (
        SELECT thread_id, content_id, keywords,
            count(*) OVER (PARTITION BY thread_id) AS total,
            max(CASE WHEN flags & {f.SEEN} = 0 THEN 1 ELSE 0 END)
                OVER (PARTITION BY thread_id) AS unread,
            max(CASE WHEN flags & {f.FLAGGED} <> 0 THEN 1 ELSE 0 END)
                OVER (PARTITION BY thread_id) AS flagged,
            row_number() OVER
                (PARTITION BY thread_id ORDER BY internal_date DESC, id DESC) AS place
        FROM (
            SELECT m.id, m.thread_id, m.content_id, m.keywords, m.flags,
                m.internal_date, row_number() OVER (PARTITION BY m.thread_id,
                    m.email_id ORDER BY m.folder_id <> %s, m.id) AS copy
            FROM mail_message m JOIN mail_folder f ON f.id = m.folder_id
            WHERE {{among}} AND (f.role NOT IN ('trash', 'junk') OR f.id = %s){{only}}
        ) AS m WHERE copy = 1
    ) AS r JOIN mail_content c ON c.id = r.content_id
    WHERE r.place <= {NAMED} ORDER BY r.thread_id, r.place
"""  # noqa: S608 - our own names and numbers


Only = Sequence[int] | None


def _limited(only: Only) -> tuple[str, Sequence[object]]:
    """Return a condition on the folders looked into, with AND in front."""
    if only is None:
        return "", ()
    condition, parameters = sql.one_of("f.id", sorted(only))
    return f" AND {condition}", parameters


def summaries(
    folder_id: int, thread_ids: Sequence[int], only: Only = None
) -> dict[int, Summary]:
    """Return {thread: what the list says of it}, in one query."""
    if not thread_ids:
        return {}
    among, ids = sql.among("m.thread_id", sorted(set(thread_ids)))
    limit, those = _limited(only)
    query = SUMMARIES.format(among=among, only=limit)
    found = sql.rows(query, [folder_id, *ids, folder_id, *those])
    members: dict[int, list[Member]] = {}
    totals: dict[int, tuple[int, bool, bool]] = {}
    for thread, total, unread, flagged, name, address, keywords, attached in found:
        totals[thread] = (total, bool(unread), bool(flagged))
        member = Member(name, address, keywords, bool(attached))
        members.setdefault(thread, []).append(member)
    return {
        thread: Summary(*totals[thread], tuple(those))
        for thread, those in members.items()
    }


# Unary plus: SQLite would rather look at all of the account.
MEMBERS = """
    SELECT id FROM (
        SELECT m.id, m.internal_date, row_number() OVER (PARTITION BY m.email_id
            ORDER BY m.folder_id <> %s, m.id) AS copy
        FROM mail_message m JOIN mail_folder f ON f.id = m.folder_id
        WHERE m.thread_id = %s AND +m.account_id = %s
            AND (f.role NOT IN ('trash', 'junk') OR f.id = %s){only}
    ) AS m WHERE copy = 1 ORDER BY internal_date DESC, id DESC LIMIT %s OFFSET %s
"""


def whole(
    account_id: int,
    folder_id: int,
    thread_id: int,
    *,
    skipped: int = 0,
    limit: int,
    only: Only = None,
) -> list[Listed]:
    """Return the newest messages of a conversation, oldest first; no copies.

    `skipped`: how many of the newest are left out. Of copies the one in this folder
    counts. `only`: the folders that the reader may look into; None: all.
    """
    narrower, those = _limited(only)
    values = [folder_id, thread_id, account_id, folder_id, *those, limit, skipped]
    found = sql.rows(MEMBERS.format(only=narrower), values)
    rows = Message.objects.filter(pk__in=[id_ for (id_,) in found])
    ordered = rows.order_by("internal_date", "pk")
    return [Listed(*row) for row in ordered.values_list(*LISTED)]


def uids_with(folder_id: int, uids: Sequence[int]) -> list[int]:
    """Return these UIDs and those of the same conversations in this folder."""
    if not uids:
        return []
    among, ends = sql.among("uid", sorted(uids))
    found = sql.rows(
        "SELECT uid, thread_id FROM mail_message"  # noqa: S608
        f" WHERE folder_id = %s AND {among}",
        [folder_id, *ends],
    )
    together = {uid for uid, _ in found}
    if threads := sorted({thread for _, thread in found if thread is not None}):
        among, ids = sql.among("thread_id", threads)
        rows = sql.rows(
            "SELECT uid FROM mail_message"  # noqa: S608
            f" WHERE {among} AND folder_id = %s",
            [*ids, folder_id],
        )
        together |= {uid for (uid,) in rows}
    return sorted(together)


def uids_of(folder_id: int, wanted: Wanted = EVERY) -> list[int]:
    """Return the UIDs of a folder that are wanted, ascending."""
    found = sql.rows(
        "SELECT uid FROM mail_message WHERE folder_id = %s"  # noqa: S608
        f"{wanted.condition('mail_message')} ORDER BY uid",
        [folder_id],
    )
    return [uid for (uid,) in found]
