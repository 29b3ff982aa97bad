"""A conversation in the reader: its letters, those that stand open and those folded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from accounts.models import User
from mailhost.mime.addresses import Address
from mailhost.outbound import states
from mailhost.outbound.states import Standing
from mailhost.store import conversations, flags, verdict
from mailhost.store.gate import gate
from mailhost.store.read import Listed
from mailhost.store.values import FolderInfo
from mailhost.webmail import (
    composing,
    deceits,
    door,
    letters,
    pictures,
    receipts,
    reminders,
    rows,
    sending,
    teams,
    trust,
    unsubscribing,
)
from mailhost.webmail.calendars import cards
from mailhost.webmail.calendars.cards import Card
from mailhost.webmail.letters import Body, File
from mailhost.webmail.models import Preferences
from mailhost.webmail.receipts import Asked
from mailhost.webmail.reminders import Reminder
from mailhost.webmail.rows import Known, Row
from mailhost.webmail.searching import asking
from mailhost.webmail.teams import Answer, Team
from mailhost.webmail.trust import Trust
from mailhost.webmail.unsubscribing import Way

MOST_OPEN = 5  # unread ones that stand open beside the newest and the chosen
PAGE = 50  # letters shown at once


@dataclass(frozen=True, slots=True)
class Inside:
    """What an open letter shows beside its head."""

    people: Mapping[str, list[Address]]
    bodies: Sequence[tuple[Body, str]]
    files: Sequence[File]
    has_html: bool
    images: bool  # pictures from elsewhere are shown
    trusts: bool  # they are, for this sender
    warnings: Sequence[str]
    unsubscribe: Way
    standings: Sequence[Standing]  # of what was sent
    reminder: Reminder | None  # of what was sent
    receipt: Asked | None  # who asks to hear that it is read
    trust: Sequence[Trust]  # what was found when it came
    invitation: Card | None
    query: str = ""  # by which it was found
    words: Sequence[str] = ()  # of it, to be set off


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and how they want it."""

    user: User
    preferences: Preferences
    images: bool = False  # asked for, this once
    query: str = ""  # of the search that it is opened from

    @property
    def known(self) -> set[str]:
        """The domains that are the viewer's own."""
        return {one.rpartition("@")[2] for one in door.own_addresses(self.user)}


@dataclass(frozen=True, slots=True)
class Letter:
    """One message; `inside` is None while it is folded."""

    row: Row
    listed: Listed
    inside: Inside | None
    answered: Answer | None = None  # who did, in a shared account


@dataclass(frozen=True, slots=True)
class Conversation:
    """Letters, oldest first, and how many older ones are not here."""

    subject: str
    head: Row  # the message that was asked for
    letters: Sequence[Letter]
    older: int | None  # how many were shown; None: there are no more
    team: Team | None = None

    @property
    def unread(self) -> list[str]:
        """Those that are read once this is on the screen."""
        return [
            one.row.where.text
            for one in self.letters
            if one.row.is_unread and one.inside is not None
        ]


def conversation(
    viewer: Viewer, folder: FolderInfo, listed: Listed, *, skipped: int = 0
) -> Conversation:
    """Return what the reader shows for a message: all of its thread, or it alone."""
    members = [listed]
    if viewer.preferences.threaded and listed.thread_id is not None:
        only = door.only(viewer.user, folder.account_id)
        members = gate.read_sync(_members, folder, listed.thread_id, skipped, only)
    is_more = len(members) > PAGE
    members = members[-PAGE:]
    makes = rows.known(viewer.user, folder.account_id)
    folders = _folders(viewer.user, folder)
    opened = set() if skipped else _opened(members, listed)
    found = [
        letter(
            folders[m.folder_id],
            m,
            makes,
            viewer if (m.folder_id, m.uid) in opened else None,
        )
        for m in members
        if m.folder_id in folders
    ]
    team = teams.of(viewer.user, folder, listed)
    if team is not None:
        found = [
            replace(one, answered=team.answers.get(one.listed.email_id))
            for one in found
        ]
    first = members[0].subject if members else listed.subject
    head = rows.row(folder, listed, makes)
    older = skipped + PAGE if is_more else None
    return Conversation(first, head, found, older, team)


def _members(
    folder: FolderInfo, thread_id: int, skipped: int, only: Sequence[int] | None
) -> list[Listed]:
    return conversations.whole(
        folder.account_id,
        folder.id,
        thread_id,
        skipped=skipped,
        limit=PAGE + 1,
        only=only,
    )


def _folders(user: User, folder: FolderInfo) -> dict[int, FolderInfo]:
    """Return the account's folders that the user may read."""
    found = {folder.id: folder}
    for one in door.accounts(user):
        if one.account.id == folder.account_id:
            found |= {f.id: f for f in one.folders if "r" in f.rights}
    return found


def _opened(members: Sequence[Listed], chosen: Listed) -> set[tuple[int, int]]:
    """Return (folder, UID) of those that stand open."""
    unread = [m for m in members if not m.flags & flags.SEEN][-MOST_OPEN:]
    return {(m.folder_id, m.uid) for m in [*members[-1:], chosen, *unread]}


def letter(
    folder: FolderInfo, listed: Listed, makes: Known, viewer: Viewer | None
) -> Letter:
    """Return a message for the reader; folded where there is no viewer of it."""
    shown = rows.row(folder, listed, makes)
    return Letter(shown, listed, inside(folder, listed, viewer) if viewer else None)


def inside(folder: FolderInfo, listed: Listed, viewer: Viewer) -> Inside:
    """Return what an open letter shows."""
    content_id, root, header, message_id = letters.opened(folder.id, listed.uid)
    bodies = [
        (body, composing.readable(body.text, part) if part else body.text)
        for body in letters.bodies(content_id, root)
        for part in [root.find(body.section)]
    ]
    named = ("from", "to", "cc", "bcc", "reply_to")
    people = {name: letters.people(listed, name) for name in named}
    trusts = pictures.are_wanted(viewer.user, viewer.preferences, listed.from_address)
    event = cards.meeting_in(content_id, root)
    author = people["from"][0] if people["from"] else Address("", "", "")
    return Inside(
        people,
        bodies,
        letters.files(root),
        any(body.is_html for body, _ in bodies),
        viewer.images or trusts,
        trusts,
        deceits.warnings(author, people["reply_to"], viewer.known),
        unsubscribing.way_of(header),
        _standings(folder, viewer, message_id),
        _reminder(folder, viewer, message_id),
        receipts.asked(viewer.user, folder, listed, header),
        trust.of(
            gate.read_sync(verdict.of_message, folder.account_id, listed.email_id)
        ),
        cards.card(viewer.user, folder, listed, event) if event else None,
        viewer.query,
        asking.words(viewer.query) if viewer.query else (),
    )


def _reminder(folder: FolderInfo, viewer: Viewer, message_id: str) -> Reminder | None:
    if folder.role != "sent":
        return None
    return reminders.of(viewer.user, folder.account_id, message_id)


def _standings(
    folder: FolderInfo, viewer: Viewer, message_id: str
) -> Sequence[Standing]:
    if folder.role != "sent":
        return ()
    return gate.read_sync(states.of, viewer.user.pk, sending.envid(message_id))
