"""Which conversation a message joins; decided once, at arrival.

By References and In-Reply-To; for a reply that names none, by base subject. A joiner
takes the oldest match and nothing is rewritten.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from mailhost.store import sql
from mailhost.store.content import Prepared

ANCESTORS = 20  # the nearest ones; more say nothing new


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A message about to be filed in an account."""

    account_id: int
    prepared: Prepared


def key(account_id: int, kind: str, text: str) -> str:
    """Return the key of a message-id or a subject in an account."""
    named = f"{account_id}\n{kind}\n{text}".encode("utf-8", "replace")
    return hashlib.sha256(named).hexdigest()[:32]


def _looked_up(new: Newcomer) -> list[str]:
    """Return the keys that may lead to its thread, the best first."""
    prepared = new.prepared
    ids = [prepared.message_id, *reversed(prepared.ancestors[-ANCESTORS:])]
    keys = [key(new.account_id, "id", i) for i in ids if i]
    if prepared.is_reply and prepared.base_subject and not prepared.ancestors:
        keys.append(key(new.account_id, "subject", prepared.base_subject))
    return keys


def _left_behind(new: Newcomer) -> list[str]:
    """Return the keys under which later messages shall find its thread."""
    prepared = new.prepared
    keys = [
        key(new.account_id, "id", i)
        for i in (prepared.message_id, *prepared.ancestors[-ANCESTORS:])
        if i
    ]
    if prepared.base_subject:
        keys.append(key(new.account_id, "subject", prepared.base_subject))
    return keys


def join(newcomers: Sequence[Newcomer]) -> list[int]:
    """Return the thread of each newcomer, in their order, making what is missing.

    A few statements for all of them together. Runs in the caller's transaction.
    """
    wanted = [_looked_up(new) for new in newcomers]
    known = _known({key for keys in wanted for key in keys})
    # Threads are numbered downwards from -1 until they are inserted together.
    started: list[int] = []
    threads: list[int] = []
    fresh: dict[str, tuple[int, int]] = {}
    for new, keys in zip(newcomers, wanted, strict=True):
        found = [known[key] for key in keys if key in known]
        if not found:
            started.append(new.account_id)
            found = [-len(started)]
        thread = _oldest(found)
        threads.append(thread)
        for key in _left_behind(new):
            if key not in known:
                known[key] = thread
                fresh[key] = (new.account_id, thread)
    owners = [(account_id,) for account_id in started]
    ids = sql.insert("mail_thread", ("account_id",), owners, returning=True)

    def real(thread: int) -> int:
        return thread if thread > 0 else ids[-thread - 1]

    rows = [(key, account, real(thread)) for key, (account, thread) in fresh.items()]
    sql.insert(
        "mail_threadkey", ("key", "account_id", "thread_id"), rows, or_ignore=True
    )
    return [real(thread) for thread in threads]


def _oldest(threads: Sequence[int]) -> int:
    """Return the first to be started: a stored one before one of this call."""
    return min((t for t in threads if t > 0), default=max(threads))


def threads_of(account_id: int, message_ids: Sequence[str]) -> list[int]:
    """Return the conversations that these Message-IDs lead to."""
    keys = {key(account_id, "id", one) for one in message_ids}
    return list(_known(keys).values())


def _known(keys: set[str]) -> dict[str, int]:
    if not keys:
        return {}
    condition, parameters = sql.one_of("key", sorted(keys))
    return dict(
        sql.rows(
            f"SELECT key, thread_id FROM mail_threadkey WHERE {condition}",  # noqa: S608
            parameters,
        )
    )
