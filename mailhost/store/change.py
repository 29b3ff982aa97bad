"""Change what is filed: flags, copy, move, expunge. One transaction each, many rows."""

from collections.abc import Callable, Sequence

from django.utils import timezone

from mailhost.mail.models import Message
from mailhost.store import flags as f
from mailhost.store import muting, patch, sets, sql
from mailhost.store.errors import TooMany
from mailhost.store.filing import MESSAGE, Place, new_email_id, places
from mailhost.store.rights import ALL
from mailhost.store.state import Counts, bump_account, bump_folder
from mailhost.store.values import Copied, Expunged, FlagResult, Target

MOST_KEYWORDS = 100  # of one message
Marks = tuple[int, tuple[str, ...]]  # flags, keywords


def set_flags(
    account_id: int,
    folder_id: int,
    uids: Sequence[int],
    flags: int,
    keywords: tuple[str, ...] = (),
    unchanged_since: int | None = None,
) -> FlagResult:
    """Give the messages these flags and keywords and no others. RFC 9051 §6.4.6."""
    marks = (flags, keywords)
    return set_permitted(account_id, folder_id, uids, marks, ALL, unchanged_since)


def set_permitted(
    account_id: int,
    folder_id: int,
    uids: Sequence[int],
    marks: Marks,
    held: str,
    unchanged_since: int | None = None,
) -> FlagResult:
    """Do as `set_flags`; what the rights `held` do not let one change stays.

    RFC 4314 §4.
    """
    mine, words = f.changeable(held), "w" in held
    wanted, keywords = marks[0] & mine, _unique(marks[1])
    return _mark(
        account_id,
        folder_id,
        uids,
        lambda old: ((old[0] & ~mine) | wanted, keywords if words else old[1]),
        unchanged_since,
    )


def add_flags(
    account_id: int,
    folder_id: int,
    uids: Sequence[int],
    flags: int,
    keywords: tuple[str, ...] = (),
    unchanged_since: int | None = None,
) -> FlagResult:
    """Add flags and keywords to the messages."""
    return _mark(
        account_id,
        folder_id,
        uids,
        lambda old: (old[0] | flags, _unique(old[1] + keywords)),
        unchanged_since,
    )


def remove_flags(
    account_id: int,
    folder_id: int,
    uids: Sequence[int],
    flags: int,
    keywords: tuple[str, ...] = (),
    unchanged_since: int | None = None,
) -> FlagResult:
    """Take flags and keywords from the messages."""
    gone = {word.lower() for word in keywords}
    return _mark(
        account_id,
        folder_id,
        uids,
        lambda old: (
            old[0] & ~flags,
            tuple(w for w in old[1] if w.lower() not in gone),
        ),
        unchanged_since,
    )


def permitted(flags: int, keywords: tuple[str, ...], held: str) -> Marks:
    """Return what of flags and keywords the rights let one set. RFC 4314 §4."""
    return flags & f.changeable(held), keywords if "w" in held else ()


def _unique(keywords: tuple[str, ...]) -> tuple[str, ...]:
    """Drop what differs only in case; the first spelling stays. RFC 9051 §2.3.2."""
    kept = tuple({word.lower(): word for word in reversed(keywords)}.values())[::-1]
    if len(kept) > MOST_KEYWORDS:
        raise TooMany("Too many keywords")
    return kept


def _mark(
    account_id: int,
    folder_id: int,
    uids: Sequence[int],
    new: Callable[[Marks], Marks],
    unchanged_since: int | None,
) -> FlagResult:
    """Give each message `new(its marks)`; those alike are updated together."""
    if not uids:
        return FlagResult((), (), 0)
    condition, parameters = sql.among("uid", sorted(uids))
    where = f"account_id = %s AND folder_id = %s AND {condition}"
    found = sql.rows(
        f"SELECT uid, flags, keywords, modseq FROM mail_message WHERE {where}"  # noqa: S608
        " ORDER BY uid",
        [account_id, folder_id, *parameters],
    )
    failed: list[int] = []
    alike: dict[tuple[int, str], list[int]] = {}
    for uid, flags, keywords, modseq in found:
        if unchanged_since is not None and modseq > unchanged_since:
            failed.append(uid)
        else:
            alike.setdefault((flags, keywords), []).append(uid)
    changed: list[int] = []
    counts = Counts()
    todo = []
    worded: list[muting.Worded] = []
    for (flags, keywords), group in alike.items():
        words = tuple(keywords.split())
        wanted_flags, wanted_words = new((flags, words))
        if (wanted_flags, " ".join(wanted_words)) == (flags, keywords):
            continue
        worded.append((words, wanted_words, group))
        todo.append((wanted_flags, " ".join(wanted_words), group))
        changed += group
        seen = bool(wanted_flags & f.SEEN) - bool(flags & f.SEEN)
        deleted = bool(wanted_flags & f.DELETED) - bool(flags & f.DELETED)
        counts.unseen -= seen * len(group)
        counts.deleted += deleted * len(group)
    if not changed:
        return FlagResult((), tuple(failed), 0)
    base = patch.newest(folder_id)
    modseq = bump_account(account_id)
    bump_folder(folder_id, modseq, counts)
    patch.on_commit(base, modseq, marked=todo)
    for wanted, spelled, group in todo:
        condition, parameters = sql.among("uid", group)
        sql.run(
            "UPDATE mail_message SET flags = %s, keywords = %s, modseq = %s"  # noqa: S608
            f" WHERE folder_id = %s AND {condition}",
            [wanted, spelled, modseq, folder_id, *parameters],
        )
    muting.follow(folder_id, worded)
    was = max(row[3] for row in found)
    if unchanged_since is not None:
        was = min(was, unchanged_since)
    return FlagResult(tuple(sorted(changed)), tuple(failed), modseq, was)


def copy(
    account_id: int,
    folder_id: int,
    uids: Sequence[int],
    to_account_id: int,
    to_folder_id: int,
    held: str = ALL,
) -> Copied:
    """Copy messages, in UID order; flags, dates and e-mail ids go along.

    Flags that the rights `held` on the target do not let one set stay behind. UIDs
    that are gone are skipped. Raises NoSuchFolder, OverQuota. RFC 9051 §6.4.7.
    """
    place = _place(to_account_id, to_folder_id)
    if account_id != to_account_id or held != ALL:
        return _copy_by_rows(_rows(account_id, folder_id, uids), place, held)
    chosen = sets.choose(account_id, folder_id, uids)
    if not chosen:
        return Copied(place.uid_validity, (), 0)
    counts = chosen.counts
    place.usage.check(counts.bytes, len(chosen))
    modseq = bump_account(account_id, bytes_=counts.bytes, messages=counts.messages)
    first = bump_folder(to_folder_id, modseq, counts) - len(chosen)
    sets.copy_rows(chosen, to_folder_id, first, modseq)
    return Copied(place.uid_validity, chosen.uids, modseq, first)


def move(
    account_id: int,
    folder_id: int,
    uids: Sequence[int],
    to_account_id: int,
    to_folder_id: int,
    held: str = ALL,
) -> Copied:
    """Move messages: copied as `copy` does, and expunged, at once. RFC 6851 §3.3.

    A message that another session moved first is skipped, so none is doubled.
    """
    place = _place(to_account_id, to_folder_id)
    chosen = sets.choose(account_id, folder_id, uids)
    if not chosen:
        return Copied(place.uid_validity, (), 0)
    if account_id != to_account_id or held != ALL:
        rows = _rows(account_id, folder_id, chosen.uids)
        stays = account_id == to_account_id
        copied = _copy_by_rows(rows, place, held, stays=stays)
        _expunge(account_id, chosen)
        return copied
    base = patch.newest(folder_id) if folder_id != to_folder_id else None
    modseq = bump_account(account_id)
    first = bump_folder(to_folder_id, modseq, chosen.counts) - len(chosen)
    bump_folder(folder_id, modseq, chosen.counts.taken_away())
    sets.entomb(chosen, modseq)
    sets.move_rows(chosen, to_folder_id, first, modseq)
    patch.on_commit(base, modseq, gone=chosen.uids)
    return Copied(place.uid_validity, chosen.uids, modseq, first)


def expunge(
    account_id: int,
    folder_id: int,
    uids: Sequence[int] | None = None,
    *,
    force: bool = False,
) -> Expunged:
    r"""Remove the messages flagged \Deleted, of `uids` only where given.

    `force` removes those of `uids` whatever their flags (POP3 QUIT, emptied trash).
    Tombstones tell sessions that come back (RFC 7162 §3.2.7). RFC 9051 §6.4.3.
    """
    chosen = sets.choose(account_id, folder_id, uids, 0 if force else f.DELETED)
    if not chosen:
        return Expunged((), 0)
    return Expunged(chosen.uids, _expunge(account_id, chosen))


def _expunge(account_id: int, chosen: sets.Chosen) -> int:
    base = patch.newest(chosen.folder_id)
    less = chosen.counts.taken_away()
    modseq = bump_account(account_id, bytes_=less.bytes, messages=less.messages)
    bump_folder(chosen.folder_id, modseq, less)
    sets.entomb(chosen, modseq)
    sets.delete_rows(chosen)
    patch.on_commit(base, modseq, gone=chosen.uids)
    return modseq


def drop_messages(account_id: int, folder_id: int) -> int:
    """Remove all messages of a folder that is about to go; return the modseq."""
    sizes = sql.rows(
        "SELECT count(*), coalesce(sum(size), 0) FROM mail_message"
        " WHERE folder_id = %s",
        [folder_id],
    )
    count, size = sizes[0]
    modseq = bump_account(account_id, bytes_=-int(size), messages=-count)
    sql.run("DELETE FROM mail_message WHERE folder_id = %s", [folder_id])
    return modseq


def _place(account_id: int, folder_id: int) -> Place:
    return places([Target(account_id, folder_id)])[account_id, folder_id]


def _rows(account_id: int, folder_id: int, uids: Sequence[int]) -> list[Message]:
    """Return the messages there are, by UID."""
    if not uids:
        return []
    found = Message.objects.filter(account_id=account_id, folder_id=folder_id)
    condition, parameters = sql.among("uid", sorted(uids))
    return list(found.extra(where=[condition], params=parameters).order_by("uid"))  # noqa: S610 - `among` writes no values


def _copy_by_rows(
    found: Sequence[Message], place: Place, held: str, *, stays: bool = False
) -> Copied:
    """Copy to another account, or where not all flags may go along.

    `stays`: the originals go, and are of the same account: it needs no room.
    """
    if not found:
        return Copied(place.uid_validity, (), 0)
    size = sum(row.size for row in found)
    if not stays:
        place.usage.check(size, len(found))
    modseq = bump_account(place.account_id, bytes_=size, messages=len(found))
    first = _insert_copies(found, place, modseq, held)
    return Copied(place.uid_validity, tuple(row.uid for row in found), modseq, first)


def _insert_copies(
    found: Sequence[Message], place: Place, modseq: int, held: str
) -> int:
    for row in found if held != ALL else ():
        words = tuple(row.keywords.split())
        row.flags, words = permitted(row.flags, words, held)
        row.keywords = " ".join(words)
    counts = Counts(
        uids=len(found),
        messages=len(found),
        unseen=sum(not row.flags & f.SEEN for row in found),
        deleted=sum(bool(row.flags & f.DELETED) for row in found),
        bytes=sum(row.size for row in found),
    )
    first = bump_folder(place.folder_id, modseq, counts) - len(found)
    same = found[0].account_id == place.account_id
    now = timezone.now()
    rows = [
        (
            place.account_id,
            place.folder_id,
            first + n,
            modseq,
            modseq,
            row.flags,
            row.keywords,
            row.internal_date,
            now,
            row.size,
            row.content_id,
            row.email_id if same else new_email_id(),
            row.thread_id if same else None,
        )
        for n, row in enumerate(found)
    ]
    sql.insert("mail_message", MESSAGE, rows)
    return first
