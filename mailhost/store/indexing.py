"""Keep the search index up with the mail: a process of its own, behind the delivery.

Everything here may be cut off at any moment and done again: progress is noted in the
transaction of the index that it tells of. Messages are followed by created_modseq,
which rises in the order of commits within an account.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max, Sum

from mailhost.mail.models import AccountState, FolderState, FolderTombstone
from mailhost.search.engines import index
from mailhost.search.index import Document, Writing
from mailhost.search.query import COLUMNS
from mailhost.store import sql
from mailhost.store.documents import document_rows

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
GATHER_SECONDS = 5.0  # the longest that new mail waits, to be indexed with what follows
REST = 3  # times as long as the last turn took, if it left nothing out
SWEEP_SECONDS = 3600.0
AFTER_ERROR_SECONDS = 10.0
AT_ONCE = 50  # messages of one transaction
OCTETS_AT_ONCE = 2 << 20  # of them, one message at least
IN_A_ROW = 100  # batches with something new, of one account
LISTED = 10_000  # messages that are looked up at once
SWEPT = 500  # documents that are looked at in one transaction

Stamp = tuple[int, int]  # of Writing
NEWER = """
    SELECT m.created_modseq, m.folder_id, m.uid, m.email_id, m.content_id, m.size
    FROM mail_message m JOIN mail_folder f ON f.id = m.folder_id
    WHERE f.account_id = %s AND m.modseq > %s
    AND (m.created_modseq, m.folder_id, m.uid) > (%s, %s, %s)
    ORDER BY m.created_modseq, m.folder_id, m.uid LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class _Row:
    created_modseq: int
    folder_id: int
    uid: int
    email_id: int
    content_id: int
    size: int


def run(stop: threading.Event) -> None:
    """Index what comes and remove what goes, until `stop`."""
    turn = _Turn(stop)
    wait = 0.0
    while not stop.wait(wait):
        try:
            wait = turn.take()
        except Exception:
            log.exception("indexing failed; it goes on in a moment")
            connection.close()
            wait = AFTER_ERROR_SECONDS
    connection.close()


class _Turn:
    """What is to be done next: new mail first, then order, then what is gone."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._ready = self._untidy = False
        self._seen = -1
        self._sweep_at = 0.0

    def take(self) -> float:
        """Do one thing; return after how many seconds to look again."""
        if not self._ready:
            index().ensure()
            self._ready = self._untidy = True
        total = _modseqs()
        if total != self._seen:
            self._untidy, start = True, time.monotonic()
            if index_new(self._stop):
                self._seen = total
                # A transaction for each account and a few messages costs more by far
                # than one for many; searches look at what is not there yet.
                rest = REST * (time.monotonic() - start)
                return max(LOOK_SECONDS, min(rest, GATHER_SECONDS))
        elif self._untidy:
            self._untidy = index().tidy()
            return 0.0
        elif time.monotonic() >= self._sweep_at:
            sweep()
            self._sweep_at = time.monotonic() + SWEEP_SECONDS
        return LOOK_SECONDS


def _modseqs() -> int:
    """Return a number that rises with every change of any account."""
    return int(AccountState.objects.aggregate(all=Sum("modseq"))["all"] or 0)


def index_new(stop: threading.Event | None = None) -> bool:
    """Index what is new in every account; tell whether nothing was left out."""
    progress = index().progress()
    states = AccountState.objects.values_list("account_id", "modseq")
    due = [(id_, at) for id_, at in states if progress.get(id_) != at]
    whole = True
    for account_id, modseq in due:
        whole &= index_account(account_id, modseq, stop)
    return whole


def index_account(
    account_id: int, modseq: int, stop: threading.Event | None = None
) -> bool:
    """Index the account's messages up to this modseq, which has been committed.

    A short transaction for each batch, and an end to it, so that other accounts have
    their turn. Tells whether it got there.
    """
    stamp = _begin(account_id, modseq)
    if stamp is None:
        return False
    worked = 0
    for batch, following in _batches(_newer(account_id, stamp[0])):
        if worked == IN_A_ROW or (stop is not None and stop.is_set()):
            return False
        # All of one modseq are indexed before it is noted.
        upto = batch[-1].created_modseq
        if following is not None and following.created_modseq == upto:
            upto -= 1
        after = _index(account_id, batch, upto, stamp)
        if after is None:
            return False
        worked += after[1] > stamp[1]
        stamp = after
    return _index(account_id, (), modseq, stamp) is not None


def index_whole(account_id: int) -> None:
    """Index all of an account, however long it takes."""
    while True:
        modseq = AccountState.objects.get(account_id=account_id).modseq
        if index_account(account_id, modseq):
            return
        time.sleep(LOOK_SECONDS / 10)  # another process may be at it


def _begin(account_id: int, modseq: int) -> Stamp | None:
    """Return how far the account is indexed; None: another process is at it."""
    with index().writing(account_id) as writing:
        if writing is None:
            return None
        if writing.modseq > modseq:  # the mail was restored from a backup
            _clear(writing)
        return writing.stamp


def _newer(account_id: int, modseq: int) -> Iterator[_Row]:
    after = modseq, 1 << 62, 0
    while True:
        some = sql.rows(NEWER, [account_id, modseq, *after, LISTED])
        for row in some:
            yield _Row(*row)
        if len(some) < LISTED:
            return
        after = some[-1][:3]


def _batches(rows: Iterator[_Row]) -> Iterator[tuple[list[_Row], _Row | None]]:
    """Yield batches within the limits, each with the row that follows it."""
    batch: list[_Row] = []
    room = OCTETS_AT_ONCE
    for row in rows:
        if batch and (len(batch) >= AT_ONCE or row.size > room):
            yield batch, row
            batch, room = [], OCTETS_AT_ONCE
        batch.append(row)
        room -= row.size
    if batch:
        yield batch, None


def _index(
    account_id: int, batch: Sequence[_Row], upto: int, stamp: Stamp
) -> Stamp | None:
    """Add the documents that are missing and note how far we are.

    Returns the new stamp; None: somebody else is at it, or was since ours.
    """
    with index().writing(account_id) as writing:
        if writing is None or writing.stamp != stamp:
            return None
        known = writing.known([row.email_id for row in batch])
        fresh = {
            row.email_id: row.content_id for row in batch if row.email_id not in known
        }
        texts = document_rows(fresh.values())
        writing.add(
            [
                Document(email, tuple(texts[content][name] for name in COLUMNS))
                for email, content in fresh.items()
                if content in texts
            ]
        )
        writing.note(max(upto, writing.modseq), writing.swept)
        return writing.stamp


def sweep() -> int:
    """Remove documents of e-mails that no folder holds; return how many.

    Only where mail was removed for good since the last time.
    """
    gone = 0
    accounts = dict(AccountState.objects.values_list("account_id", "modseq"))
    removals = _removals()
    for account_id in index().progress():
        upto = removals.get(account_id, 0) if account_id in accounts else None
        gone += _sweep(account_id, upto)
    return gone


def _removals() -> dict[int, int]:
    """Return {account: modseq of what was last removed for good}."""
    pruned = FolderState.objects.values_list("folder__account_id").annotate(
        Max("pruned_modseq")
    )
    dropped = FolderTombstone.objects.values_list("account_id").annotate(Max("modseq"))
    found: dict[int, int] = dict(pruned)
    for account_id, modseq in dropped:
        found[account_id] = max(modseq, found.get(account_id, 0))
    return found


def _sweep(account_id: int, upto: int | None) -> int:
    """Sweep an account; `upto` None: it is no more."""
    gone = 0
    after: int | None = 0
    while after is not None:
        with index().writing(account_id) as writing:
            if writing is None or (upto is not None and writing.swept >= upto):
                break
            removed, after = _sweep_some(account_id, writing, after)
            gone += removed
            if after is not None:
                continue
            if upto is None:
                writing.forget()
            else:
                writing.note(writing.modseq, upto)
    return gone


def _sweep_some(
    account_id: int, writing: Writing, after: int
) -> tuple[int, int | None]:
    """Return how many documents went, and after which to go on; None: none is left."""
    some = writing.listed(after, SWEPT)
    held = _held(account_id, [email_id for _, email_id in some])
    doomed = [id_ for id_, email_id in some if email_id not in held]
    writing.remove(doomed)
    return len(doomed), some[-1][0] if len(some) == SWEPT else None


def _held(account_id: int, email_ids: Sequence[int]) -> set[int]:
    if not email_ids:
        return set()
    condition, parameters = sql.among("email_id", email_ids)
    found = sql.rows(
        "SELECT DISTINCT email_id FROM mail_message"  # noqa: S608
        f" WHERE account_id = %s AND {condition}",
        [account_id, *parameters],
    )
    return {email_id for (email_id,) in found}


def forget(account_id: int) -> None:
    """Remove what is indexed of an account; it is indexed anew from the start."""
    with index().writing(account_id) as writing:
        if writing is None:
            raise BusyIndex("Another process is indexing this account")
        _clear(writing)


class BusyIndex(Exception):
    """Another process holds the account; try again."""


def _clear(writing: Writing) -> None:
    """Remove all documents of the account, and all that is noted of it."""
    while some := writing.listed(0, SWEPT):
        writing.remove([id_ for id_, _ in some])
    writing.number += 1
    writing.note(0, 0)
