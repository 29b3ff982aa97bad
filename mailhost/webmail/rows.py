"""Rows of a list: a message, or a conversation by its newest message here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from mailhost.store import conversations, flags, muting, reminding, snoozing
from mailhost.store.conversations import Summary, Wanted
from mailhost.store.read import Listed
from mailhost.store.values import FolderInfo, Place
from mailhost.webmail import door, labels, teams
from mailhost.webmail.labels import Chip
from mailhost.webmail.letters import Where, people
from mailhost.webmail.teams import Mark

PAGE = 50  # rows
MOST_SHOWN = 500  # rows of a list that is refreshed as a whole
# Roles whose messages are ours: the list shows whom they went to.
OUTGOING = frozenset(("sent", "drafts"))
MINE = "mine"
SHOWS: dict[str, Wanted] = {
    "": conversations.EVERY,
    "unread": conversations.UNREAD,
    "flagged": conversations.FLAGGED,
    MINE: conversations.EVERY,  # those one takes care of: see `wanted`
}


@dataclass(frozen=True, slots=True)
class Row:
    """A message in a list, and the conversation it stands for."""

    where: Where
    who: str
    subject: str
    preview: str
    when: datetime
    folder: FolderInfo
    flags: int
    is_unread: bool
    is_flagged: bool
    has_attachment: bool
    chips: tuple[Chip, ...]
    count: int = 1
    marks: frozenset[str] = frozenset()  # keywords that programs know, lower case
    importance: int = 0  # 1 high, -1 low
    back_at: datetime | None = None  # of what is put away
    team: Mark | None = None  # in shared accounts

    @property
    def is_muted(self) -> bool:
        """Whether new mail of the conversation goes past INBOX."""
        return muting.WORD in self.marks

    @property
    def is_back(self) -> bool:
        """Whether it came back and nobody looked yet."""
        return snoozing.BACK in self.marks

    @property
    def is_unanswered(self) -> bool:
        """Whether it came back because nobody answered."""
        return reminding.WORD in self.marks

    @property
    def is_answered(self) -> bool:
        """Whether it was answered."""
        return bool(self.flags & flags.ANSWERED)

    @property
    def is_draft(self) -> bool:
        """Whether opening it means to go on writing."""
        return bool(self.flags & flags.DRAFT)


@dataclass(frozen=True, slots=True)
class Known:
    """What rows are made with: whose they are, and the labels there are."""

    own: frozenset[str]
    labels: dict[str, Chip]


def known(user: User, account_id: int) -> Known:
    """Return what rows of an account are made with."""
    own = frozenset(address.casefold() for address in door.own_addresses(user))
    return Known(own, labels.known(user, account_id))


def page(
    user: User,
    folder: FolderInfo,
    *,
    threaded: bool,
    show: str = "",
    before: Place | None = None,
    limit: int = PAGE,
) -> tuple[list[Row], Place | None]:
    """Return rows from a place on, and where the next page begins, None for no more."""
    found = conversations.page(
        folder.id,
        wanted(user, folder, show),
        threaded=threaded,
        before=before,
        limit=limit,
    )
    left = found[-1].place if len(found) == limit else None
    told: Mapping[int, Summary] = {}
    if threaded:
        threads = [m.thread_id for m in found if m.thread_id is not None]
        only = door.only(user, folder.account_id)
        told = conversations.summaries(folder.id, threads, only)
    makes = known(user, folder.account_id)
    in_them = [m.thread_id for m in found if m.thread_id is not None]
    marks = teams.marks(user, folder.account_id, in_them)
    made = [
        replace(
            row(folder, m, makes, told.get(m.thread_id or 0)),
            team=marks.get(m.thread_id or 0),
        )
        for m in found
    ]
    if folder.role == snoozing.ROLE:
        emails = [m.email_id for m in found]
        due = snoozing.times(folder.account_id, emails)
        made = [
            replace(one, back_at=due.get(email_id))
            for one, email_id in zip(made, emails, strict=True)
        ]
    return made, left


def wanted(user: User, folder: FolderInfo, show: str) -> Wanted:
    """Return which messages a list shows."""
    if show == MINE:
        return Wanted(threads=tuple(teams.mine(user, folder.account_id)))
    return SHOWS[show]


def row(
    folder: FolderInfo, listed: Listed, makes: Known, told: Summary | None = None
) -> Row:
    """Return a message as a list shows it; `told` makes it a conversation."""
    words = [listed.keywords, *(m.keywords for m in told.members)] if told else []
    return Row(
        Where(folder.account_id, folder.id, listed.uid),
        _who(folder, listed, makes, told),
        listed.subject,
        listed.preview,
        listed.internal_date,
        folder,
        listed.flags,
        told.is_unread if told else not listed.flags & flags.SEEN,
        told.is_flagged if told else bool(listed.flags & flags.FLAGGED),
        any(m.has_attachment for m in told.members) if told else listed.has_attachment,
        labels.chips(words or [listed.keywords], makes.labels),
        told.count if told else 1,
        _marks(words or [listed.keywords]),
        listed.importance or 0,
    )


def _marks(keywords: Sequence[str]) -> frozenset[str]:
    words = (word.lower() for text in keywords for word in text.split())
    return frozenset(word for word in words if word.startswith("$"))


def _who(folder: FolderInfo, listed: Listed, makes: Known, told: Summary | None) -> str:
    if folder.role in OUTGOING:
        to = [person.name or person.addr for person in people(listed, "to")]
        return _("To: %s") % ", ".join(to[:5]) if to else ""
    if told is None or told.count == 1:
        return listed.from_name or listed.from_address
    return _together([(m.from_name, m.from_address) for m in told.members], makes)


def _together(authors: Sequence[tuple[str, str]], makes: Known) -> str:
    """Return who wrote, the first to write first; short, for there is little room."""
    names: dict[str, str] = {}
    for name, address in reversed(authors):
        mine = address.casefold() in makes.own
        names.setdefault(address.casefold(), _("me") if mine else name or address)
    if len(names) == 1:
        return next(iter(names.values()))
    return ", ".join(_short(name) for name in names.values())


def _short(name: str) -> str:
    """Return the first of somebody's names."""
    head = name.partition("@")[0] if "@" in name else name.split(" ")[0]
    return head.strip(",'\"") or name
