"""What a letter shows of the invitation in it, and what an account remembers of it.

The newest version that was seen is a row, so that an old letter says that it is old,
and one that was answered, what was answered. Only what the organiser sent counts:
anybody may copy an id.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from accounts import addresses
from accounts.models import User
from mailhost.mime.part import Part
from mailhost.store.gate import gate
from mailhost.store.read import Listed
from mailhost.store.values import FolderInfo
from mailhost.webmail import door, letters
from mailhost.webmail.calendars import reading, wording
from mailhost.webmail.calendars.reading import Meeting, Person
from mailhost.webmail.models import SeenMeeting

ANSWERS = ("accepted", "tentative", "declined")
NEVER = datetime.min.replace(tzinfo=UTC)
SHOWN = 50  # people


@dataclass(frozen=True, slots=True)
class Card:
    """An invitation above a letter."""

    meeting: Meeting
    section: str
    title: str
    when: str
    repeats: str
    me: Person | None  # as whom the reader may answer
    invited: bool  # by name
    seen: SeenMeeting | None
    warning: str

    @property
    def answer(self) -> str:
        """What was answered to this version or a later one; "" for nothing."""
        seen = self.seen
        is_fresh = seen and seen.answered_sequence >= self.meeting.sequence
        return seen.answer if seen and is_fresh else ""

    @property
    def answered_before(self) -> str:
        """What was answered to a version before this one."""
        return self.seen.answer if self.seen and not self.answer else ""

    @property
    def is_old(self) -> bool:
        """Whether a later version came."""
        return bool(self.seen and _is_newer(self.seen, self.meeting))

    @property
    def is_cancelled(self) -> bool:
        """Whether it does not take place."""
        later = self.seen and not _is_newer(self.meeting, self.seen)
        return self.meeting.cancelled or bool(
            later and self.seen and self.seen.cancelled
        )

    @property
    def asks(self) -> bool:
        """Whether an answer can be given."""
        asked = self.meeting.method == "request" and self.me is not None
        return asked and not self.is_cancelled and not self.is_old

    @property
    def shown(self) -> tuple[Person, ...]:
        """The people that a card has room for."""
        return self.meeting.people[:SHOWN]

    @property
    def counted(self) -> list[tuple[str, int]]:
        """How many answered what."""
        given = [one.answer for one in self.meeting.people]
        names = (
            ("accepted", _("coming")), ("tentative", _("perhaps")),
            ("declined", _("not coming")),
        )  # fmt: skip
        return [(word, given.count(key)) for key, word in names if key in given]


def _version(one: Meeting | SeenMeeting) -> tuple[int, datetime]:
    return one.sequence, one.stamp or NEVER


def _is_newer(one: Meeting | SeenMeeting, other: Meeting | SeenMeeting) -> bool:
    """Compare by SEQUENCE, then by DTSTAMP. RFC 5546 §2.1.5."""
    return _version(one) > _version(other)


def part_in(root: Part) -> Part | None:
    """Return the part of a message that may be an invitation: the first of its kind."""
    for part in root.walk():
        kind = f"{part.type}/{part.subtype}"
        named = part.filename.lower().endswith(".ics")
        if kind in {"text/calendar", "application/ics"} or (
            named and kind in {"application/octet-stream", "text/plain"}
        ):
            return part
    return None


def meeting_in(content_id: int, root: Part) -> tuple[Meeting, str] | None:
    """Return the event of a message and its section; None for none."""
    part = part_in(root)
    if part is None or part.body[1] - part.body[0] > 2 * reading.MOST_OCTETS:
        return None
    meeting = reading.read(letters.octets(content_id, part))
    return (meeting, part.section or "1") if meeting else None


def card(
    user: User, folder: FolderInfo, listed: Listed, found: tuple[Meeting, str]
) -> Card:
    """Return what is shown of an event; notes that this version was seen."""
    meeting, section = found
    organiser = meeting.organiser
    sender = listed.from_address.casefold()
    honest = organiser is not None and sender in {organiser.address, organiser.sent_by}
    memory = remembers(user, folder.account_id)
    seen = SeenMeeting.objects.filter(account_id=memory, key=meeting.key).first()
    counts = meeting.method in {"request", "cancel", "publish"} and meeting.uid
    if honest and counts and folder.role != "junk":
        seen = _note(memory, meeting, seen)
    me, invited = whom(user, folder.account_id, meeting)
    return Card(
        meeting,
        section,
        _title(meeting, seen, listed),
        wording.when(meeting),
        wording.repeats(meeting.rule),
        me,
        invited,
        seen,
        _warning(meeting, sender, honest=honest),
    )


def remembers(user: User, account_id: int) -> int:
    """Return the account that remembers: one's own, where single folders are shared."""
    if "r" in door.account(user, account_id).rights:
        return account_id
    return door.accounts(user)[0].account.id


def _note(account_id: int, meeting: Meeting, seen: SeenMeeting | None) -> SeenMeeting:
    """Keep the newest version; one write for each, none where nothing is new."""
    if seen is not None and not _is_newer(meeting, seen):
        return seen
    told = {
        "sequence": meeting.sequence,
        "stamp": meeting.stamp,
        "cancelled": meeting.cancelled,
    }
    return SeenMeeting.objects.update_or_create(
        account_id=account_id, key=meeting.key, defaults=told
    )[0]


def whom(user: User, account_id: int, meeting: Meeting) -> tuple[Person | None, bool]:
    """Return as whom a user answers, and whether that one was invited by name.

    An address of this account goes before others of theirs. Who was not named (a list
    was) answers as themselves: RFC 5546 §3.2.3, "party crashing".
    """
    own = {address.casefold(): address for address in door.own_addresses(user)}
    mine = [one for one in meeting.people if one.address in own]
    here = [one for one in mine if _leads_to(one.address, account_id)]
    organiser = meeting.organiser.address if meeting.organiser else ""
    if organiser in own:
        return None, True
    for one in (*here, *mine):
        return one, True
    if not own or not organiser or not meeting.uid:
        return None, False
    address = next(iter(own.values()))
    return Person(user.name, address), False


def _leads_to(address: str, account_id: int) -> bool:
    return account_id in gate.read_sync(addresses.resolve, address).account_ids


def _title(meeting: Meeting, seen: SeenMeeting | None, listed: Listed) -> str:
    who = listed.from_name or listed.from_address
    if meeting.method == "reply":
        answers = {
            "accepted": _("%s is coming"),
            "tentative": _("%s may come"),
            "declined": _("%s is not coming"),
        }
        given = next((p for p in meeting.people), None)
        text = answers.get(given.answer if given else "", _("%s has answered"))
        return text % (given.name or given.address if given else who)
    if meeting.method == "counter":
        return _("%s proposes another time") % who
    if meeting.cancelled:
        return _("Cancelled")
    if meeting.method == "request":
        changed = meeting.sequence > 0 or bool(seen and seen.answer)
        return _("Changed invitation") if changed else _("Invitation")
    return _("Event")


def _warning(meeting: Meeting, sender: str, *, honest: bool) -> str:
    if meeting.method in {"request", "cancel"} and not honest:
        return _("This was not sent by who organises it.")
    named = {one.address for one in meeting.people}
    if meeting.method in {"reply", "counter"} and sender not in named:
        return _("This was not sent by who it says has answered.")
    return ""
