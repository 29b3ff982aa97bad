"""The answer to an invitation: METHOD:REPLY by mail. RFC 5546 §3.2.3, RFC 6047 §2."""

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress, vText

from accounts.models import User
from mailhost.mime.addresses import Address
from mailhost.mime.build import Attachment
from mailhost.webmail import composing, identities, sending
from mailhost.webmail.calendars.cards import Card
from mailhost.webmail.calendars.reading import Meeting, Person, When
from mailhost.webmail.composing import Written
from mailhost.webmail.models import SeenMeeting
from mailhost.webmail.sending import NotSent, Sent

LONGEST_COMMENT = 1_000
PRODUCT = "-//mailhost//webmail//EN"
TYPE = "text/calendar; method=REPLY; charset=utf-8"


def answer(
    user: User, account_id: int, card: Card, given: str, comment: str, peer: str
) -> Sent:
    """Send an answer and remember it. Raises NotSent."""
    meeting, me = card.meeting, card.me
    if me is None or meeting.organiser is None or not meeting.uid:
        raise NotSent(_("There is nobody to answer to."))
    comment = " ".join(comment.split())[:LONGEST_COMMENT]
    written = _letter(user, meeting, me, given, comment)
    sent = sending.send(user, written, peer=peer, due=timezone.now(), waits=False)
    SeenMeeting.objects.update_or_create(
        account_id=account_id,
        key=meeting.key,
        defaults={
            "answer": given,
            "comment": comment,
            "address": me.address[:320],
            "answered_sequence": meeting.sequence,
            "answered_by": user,
            "answered_at": timezone.now(),
        },
        create_defaults={
            "sequence": meeting.sequence,
            "stamp": meeting.stamp,
            "answer": given,
            "comment": comment,
            "address": me.address[:320],
            "answered_sequence": meeting.sequence,
            "answered_by": user,
            "answered_at": timezone.now(),
        },
    )
    return sent


def _letter(
    user: User, meeting: Meeting, me: Person, given: str, comment: str
) -> Written:
    texts = {
        "accepted": _("Accepted: %s"),
        "tentative": _("Tentative: %s"),
        "declined": _("Declined: %s"),
    }
    organiser = meeting.organiser
    assert organiser is not None
    local, _at, host = organiser.address.rpartition("@")
    subject = texts[given] % meeting.summary
    sender = identities.of(user, me.address).mailbox
    calendar = reply(meeting, me, sender.name, given, comment, timezone.now())
    return Written(
        sender,
        [Address(organiser.name, local, host)],
        (),
        (),
        subject,
        f"{subject}\n\n{comment}".rstrip() + "\n",
        (),
        message_id=composing.new_message_id(me.address),
        alternatives=(Attachment("", TYPE, calendar),),
    )


def reply(
    meeting: Meeting, me: Person, name: str, given: str, comment: str, now: datetime
) -> bytes:
    """Return the calendar object of an answer. RFC 5546 §3.2.3."""
    whole = Calendar()
    whole.add("prodid", PRODUCT)
    whole.add("version", "2.0")
    whole.add("method", "REPLY")
    event = Event()
    event.add("uid", meeting.uid)
    event.add("dtstamp", now.astimezone(UTC).replace(microsecond=0))
    event.add("sequence", meeting.sequence)
    assert meeting.organiser is not None
    event["organizer"] = vCalAddress(f"mailto:{meeting.organiser.address}")
    attendee = vCalAddress(f"mailto:{me.address}")
    attendee.params["PARTSTAT"] = vText(given.upper())
    if name:
        attendee.params["CN"] = vText(name.replace('"', "'"))
    event["attendee"] = attendee
    for field, moment in (
        ("recurrence-id", meeting.occurrence),
        ("dtstart", meeting.start),
        ("dtend", meeting.end),
    ):
        if moment is not None:
            event.add(field, _universal(moment))
    event.add("summary", meeting.summary)
    if comment:
        event.add("comment", comment)
    whole.add_component(event)
    return bytes(whole.to_ical())


def _universal(moment: When) -> When:
    """Return a time that needs no zone of its own; days, and local times, stay."""
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return moment
