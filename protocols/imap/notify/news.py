"""Tell a client what happens outside of its selected mailbox. RFC 5465 §5.

Rights are asked when it is told. What cannot be told ends in NOTIFICATIONOVERFLOW.
"""

import logging
from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import Any

from django.conf import settings

from mailhost.store.annotations import annotations_changed
from mailhost.store.errors import NoSuchFolder
from mailhost.store.rights import ALL, account_rights, rights_by_folder
from mailhost.store.roster import Roster, State, rosters
from protocols.imap.effects import Effect, Listen, Read, Steps
from protocols.imap.errors import Fatal
from protocols.imap.metadata import without_values
from protocols.imap.names import SHARED, shared_accounts, written
from protocols.imap.notify.differences import Accounts, Difference, News
from protocols.imap.notify.events import Event
from protocols.imap.notify.notified import WHATEVER, Notified, Told
from protocols.imap.responses import untagged
from protocols.imap.session import Session
from protocols.imap.special import attributes
from protocols.imap.statusline import status_line

log = logging.getLogger(__name__)

LINES = 500  # gathered into one piece of output
MOST_ACCOUNTS = 100  # of others
METADATA = (Event.MAILBOX_METADATA_CHANGE, Event.SERVER_METADATA_CHANGE)


class Overflow(Exception):
    """More is asked for than is told. RFC 5465 §5.8."""


def tell_news(session: Session) -> Steps:
    """Yield what others did to the mailboxes that NOTIFY named."""
    notified = session.notified
    if notified is None or not session.has_moved:
        return
    try:
        yield from _tell(session, notified)
    except Fatal:
        raise
    except Overflow as error:
        yield from give_up(session, str(error))
    except Exception:
        log.exception("NOTIFY failed")
        yield from give_up(session, "Internal error")


def give_up(session: Session, why: str) -> Steps:
    """Do as after NOTIFY NONE, and say so. RFC 5465 §5.8."""
    session.notified = Notified()
    yield Listen(())
    yield session.say(why, "NOTIFICATIONOVERFLOW")


def accounts_of(
    session: Session, notified: Notified
) -> Generator[Effect, Any, Accounts]:
    """Return the accounts to watch as they are, and watch them. Raises Overflow."""
    if not notified.groups:
        yield Listen(())
        return {}
    who = session.who()
    prefixes = {who.account_id: ""}
    if notified.reaches_shares:
        found = yield Read(shared_accounts, (who.user_id, who.account_id), brief=True)
        session.shared = found
        prefixes |= {one.id: f"{SHARED}/{one.name}/" for one in found}
        if len(found) > MOST_ACCOUNTS:
            raise Overflow("Too many accounts are shared")
    # Watched before they are looked at, so that no change is missed.
    yield Listen(tuple(prefixes))
    told = {}
    for account_id, prefix in prefixes.items():
        told[account_id] = yield from _look(session, account_id, prefix, WHATEVER)
    check_size(told)
    return told


def check_size(told: Accounts) -> None:
    """Raise Overflow where they are more mailboxes than a session may watch."""
    count = sum(len(one.roster.folders) for one in told.values())
    if count > settings.IMAP_NOTIFY_MAILBOXES:
        raise Overflow("Too many mailboxes")


def _look(
    session: Session, account_id: int, prefix: str, heard: int
) -> Generator[Effect, Any, Told]:
    """Return an account as it is; what the process knows of it will do."""
    roster = rosters.current(account_id)
    if roster is None or roster.modseq < heard:
        try:
            roster = yield Read(rosters.get, (account_id,), brief=True)
        except NoSuchFolder:
            roster = _empty(account_id)
    assert roster is not None
    if not prefix:
        return Told(prefix, roster)
    held, more = yield Read(_rights, (session.user_id, account_id))
    return Told(prefix, roster, held, more)


def _rights(user_id: int, account_id: int) -> tuple[str, dict[int, str]]:
    """Return what the user may do in all folders, and more in single ones."""
    held = account_rights(user_id, account_id)
    return held, {} if held == ALL else rights_by_folder(user_id, account_id)


def _empty(account_id: int) -> Roster:
    return Roster(account_id, State(0, None, None, None))


def _tell(session: Session, notified: Notified) -> Steps:
    before, own_id = notified.told, session.who().account_id
    after = yield from _looked(session, notified)
    check_size(after)
    # Those that came are new as a whole.
    old = {i: before.get(i) or replace(a, roster=_empty(i)) for i, a in after.items()}
    selected_id = session.selected.folder.id if session.selected is not None else None
    found = Difference(notified, old, after, own_id, session.condstore, selected_id)
    found.find()
    if any(map(notified.wants, METADATA)):
        for account_id, account in after.items():
            since = old[account_id].roster.modseq
            if 0 < since < account.roster.modseq:
                arguments = (account_id, session.user_id, since)
                changed = yield Read(annotations_changed, arguments, brief=True)
                found.add_entries(account_id, changed)
    notified.take({i: a for i, a in after.items() if a.held or a.more})
    notified.forget_deeds()
    if notified.told.keys() != before.keys():
        yield Listen(tuple(notified.told))
    yield from written_down(session, found)


def _looked(session: Session, notified: Notified) -> Generator[Effect, Any, Accounts]:
    """Return all accounts, those looked at again that have moved."""
    before, own_id = notified.told, session.who().account_id
    moved, notified.moved = notified.moved, {}
    if session.polls:
        moved = dict.fromkeys(before, WHATEVER)
    after = dict(before)
    for account_id, heard in moved.items():
        if account_id not in before:  # its last share went meanwhile
            continue
        prefix = before[account_id].prefix
        after[account_id] = yield from _look(session, account_id, prefix, heard)
    marks = [one[own_id].roster.state.rights_modseq for one in (before, after)]
    if marks[0] != marks[1] and notified.reaches_shares:
        now = yield from accounts_of(session, notified)
        # Of those that went nothing may be seen.
        gone = {i: replace(a, held="", more={}) for i, a in after.items()}
        after = {**gone, **now}
    return after


def written_down(session: Session, found: Difference) -> Iterator[bytes]:
    """Yield the responses, many in a piece."""
    lines = _Writer(session, found, found.news).lines()
    while some := list(islice(lines, LINES)):
        yield b"".join(some)


class _Writer:
    """Writes news for one client."""

    def __init__(self, session: Session, found: Difference, news: News) -> None:
        self.session = session
        self.found = found
        self.news = news

    def lines(self) -> Iterator[bytes]:
        for name, old in self.news.listed.items():
            yield self._listed(name, old)
        for name, folder, items in self.news.statuses:
            yield status_line(self.session, name, folder, items, {})
        for name, entries in self.news.entries.items():
            mailbox = written(self.session, name) if name else '""'
            yield without_values(mailbox, entries)

    @cached_property
    def _names(self) -> Sequence[str]:
        return sorted(self.found.there)

    def _listed(self, name: str, old: str | None) -> bytes:
        """RFC 5465 §5.4: OLDNAME; RFC 5258 §6: extended data."""
        shown = " ".join(self._attributes(name))
        line = f'LIST ({shown}) "/" {written(self.session, name)}'
        if old is not None:
            line += f' ("OLDNAME" ({written(self.session, old)}))'
        return untagged(line)

    def _attributes(self, name: str) -> list[str]:
        seen = self.found.there.get(name)
        has_children = self._has_children(name)
        if seen is None:
            below = "\\HasChildren" if has_children else "\\HasNoChildren"
            shown = ["\\NonExistent", "\\Noselect", below]
        else:
            own = name == seen.folder.name
            # What others use theirs for is their business. RFC 6154 §2
            folder = seen.folder if own else replace(seen.folder, role="")
            shown = attributes(folder, has_children=has_children)
        if name in self.found.after[self.found.own_id].roster.subscribed:
            shown.append("\\Subscribed")
        if seen is None and name in self.news.revoked:
            shown.append("\\NoAccess")
        if seen is not None and not seen.readable:
            shown.append("\\NoAccess")
        return shown

    def _has_children(self, name: str) -> bool:
        at = bisect_left(self._names, name + "/")
        return at < len(self._names) and self._names[at].startswith(name + "/")
