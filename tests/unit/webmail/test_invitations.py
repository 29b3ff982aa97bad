"""Invitations: what is shown, what is answered, and that hostile ones are harmless."""

import time
from typing import Any

import pytest
from django.test import Client

from mailhost.store import read
from mailhost.webmail.calendars import reading, wording
from mailhost.webmail.models import SeenMeeting
from tests.unit.webmail.conftest import Box

BASE = """BEGIN:VCALENDAR
VERSION:2.0
METHOD:{method}
BEGIN:VEVENT
UID:{uid}
DTSTAMP:2026050{sequence}T080000Z
SEQUENCE:{sequence}
DTSTART:20260601T100000Z
DTEND:20260601T113000Z
SUMMARY:{summary}
LOCATION:Room <b>5</b>
ORGANIZER;CN=Carl:mailto:{organiser}
ATTENDEE;CN=Alice;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{attendee}
ATTENDEE;CN=Dora;PARTSTAT=ACCEPTED:mailto:dora@far.test
{more}END:VEVENT
END:VCALENDAR
"""
PLAIN = {
    "method": "REQUEST", "uid": "one@far.test", "sequence": 1, "summary": "Planning",
    "organiser": "carl@far.test", "attendee": "alice@example.test", "more": "",
}  # fmt: skip


def ics(**more: Any) -> bytes:
    return BASE.format(**PLAIN | more).replace("\n", "\r\n").encode()


def letter(
    sender: str = "carl@far.test", octets: bytes | None = None, **more: Any
) -> bytes:
    """Return a message whose alternative is an event."""
    head = (
        f"From: Carl <{sender}>\r\nTo: alice@example.test\r\nSubject: Planning\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nCome.\r\n--b\r\n"
        "Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n"
    )
    return head.encode() + (octets or ics(**more)) + b"\r\n--b--\r\n"


def test_it_shows_what_when_where_and_who(box: Box, page: Client) -> None:
    uid = box.put(letter(more="RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=8\n"))
    text = page.get(box.url(uid)).content.decode()
    for words in (
        "Planning", "Monday, June 1, 2026", "Every week on Monday, Wednesday, 8 times",
        "Room &lt;b&gt;5&lt;/b&gt;", "carl@far.test", "2 people", "1 coming", "Accept",
        "invitation.ics",
    ):  # fmt: skip
        assert words in text, words


@pytest.mark.parametrize("given", ["accepted", "tentative", "declined"])
def test_an_answer_goes_to_the_organiser(box: Box, page: Client, given: str) -> None:
    uid = box.put(letter())
    said = page.post(
        box.url(uid, "invitation/"),
        {"answer": given, "comment": "Gladly,\r\nBcc: all"},
        HTTP_HX_REQUEST="true",
    )
    assert said.status_code == 200
    (sent,) = box.uids("Sent")
    octets = read.octets_of(box.folder("Sent"), [sent])[sent]
    assert b"To: Carl <carl@far.test>" in octets
    assert b'Content-Type: text/calendar; method="REPLY"; charset="utf-8"' in octets
    whole = read_part(box, sent)
    assert (whole.method, whole.uid, whole.sequence) == ("reply", "one@far.test", 1)
    (me,) = whole.people
    assert (me.address, me.answer) == ("alice@example.test", given)
    seen = SeenMeeting.objects.get()
    assert (seen.answer, seen.comment) == (given, "Gladly, Bcc: all")
    assert f'value="{given}" aria-pressed="true"' in said.content.decode()
    # It stays known when the letter is opened again, wherever it lies.
    assert (
        f'value="{given}" aria-pressed="true"'
        in page.get(box.url(uid)).content.decode()
    )


def read_part(box: Box, uid: int) -> reading.Meeting:
    from mailhost.webmail import letters
    from mailhost.webmail.calendars import cards

    content_id, root = letters.structure(box.folder("Sent"), uid)
    found = cards.meeting_in(content_id, root)
    assert found is not None
    return found[0]


def test_an_answer_leaves_by_the_queue(box: Box, page: Client) -> None:
    from mailhost.outbound.models import QueueRecipient

    uid = box.put(letter())
    page.post(box.url(uid, "invitation/"), {"answer": "accepted"})
    assert QueueRecipient.objects.get().address == "carl@far.test"


def test_an_update_asks_again_and_the_old_one_says_so(box: Box, page: Client) -> None:
    old = box.put(letter(sequence=1))
    page.post(box.url(old, "invitation/"), {"answer": "accepted"})
    new = box.put(letter(sequence=2))
    text = page.get(box.url(new)).content.decode()
    assert "Changed invitation" in text
    assert "It has changed since you answered" in text
    text = page.get(box.url(old)).content.decode()
    assert "A newer version of this came later." in text
    refused = page.post(box.url(old, "invitation/"), {"answer": "declined"})
    assert refused.status_code == 409


def test_a_cancellation_is_shown_in_both(box: Box, page: Client) -> None:
    first = box.put(letter(sequence=1))
    gone = box.put(letter(method="CANCEL", sequence=2))
    text = page.get(box.url(gone)).content.decode()
    assert "Cancelled" in text
    assert 'value="accepted"' not in text
    assert 'value="accepted"' not in page.get(box.url(first)).content.decode()


def test_a_stranger_cancels_nothing_by_its_id(box: Box, page: Client) -> None:
    first = box.put(letter())
    page.get(box.url(first))
    # Another organiser with the same id, and one who writes in the organiser's name.
    other = letter(
        "eve@bad.test", organiser="eve@bad.test", method="CANCEL", sequence=9
    )
    forged = letter("eve@bad.test", method="CANCEL", sequence=9)
    assert (
        "not sent by who organises"
        not in page.get(box.url(box.put(other))).content.decode()
    )
    assert (
        "not sent by who organises"
        in page.get(box.url(box.put(forged))).content.decode()
    )
    text = page.get(box.url(first)).content.decode()
    assert 'value="accepted"' in text
    assert "Cancelled" not in text


def test_a_reply_is_shown_to_the_organiser(box: Box, page: Client) -> None:
    octets = (
        ics(method="REPLY", organiser="alice@example.test")
        .replace(
            b"ATTENDEE;CN=Alice;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:alice@example.test\r\n",
            b"",
        )
        .replace(b"PARTSTAT=ACCEPTED", b"PARTSTAT=DECLINED")
    )
    uid = box.put(letter("dora@far.test", octets))
    assert "Dora is not coming" in page.get(box.url(uid)).content.decode()


def test_who_was_not_named_answers_as_themselves(box: Box, page: Client) -> None:
    uid = box.put(letter(attendee="team@example.test"))
    assert (
        "you would answer as alice@example.test"
        in page.get(box.url(uid)).content.decode()
    )


@pytest.mark.parametrize("who", ["bob", "stranger"])
def test_others_cannot_answer(
    box: Box, request: pytest.FixtureRequest, browser_of: Any, who: str
) -> None:
    uid = box.put(letter())
    page = browser_of(request.getfixturevalue(who))
    answered = page.post(box.url(uid, "invitation/"), {"answer": "accepted"})
    assert answered.status_code == 404
    assert not SeenMeeting.objects.exists()


ZONE = """BEGIN:VTIMEZONE
TZID:Our place
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        ("Our place", "20260601T100000", "2026-06-01T10:00:00+02:00"),
        ("Our place", "20261231T100000", "2026-12-31T10:00:00+01:00"),
        ("Our place", "20261025T030000", "2026-10-25T03:00:00+01:00"),
        ("Our place", "20261025T025959", "2026-10-25T02:59:59+02:00"),
        ("Europe/Berlin", "20260601T100000", "2026-06-01T10:00:00+02:00"),
        ("W. Europe Standard Time", "20260601T100000", "2026-06-01T10:00:00+02:00"),
        ("Nowhere", "20260601T100000", "2026-06-01T10:00:00"),
        ("../../etc/passwd", "20260601T100000", "2026-06-01T10:00:00"),
    ],
)
def test_zones(zone: str, start: str, expected: str) -> None:
    text = (
        f"BEGIN:VCALENDAR\n{ZONE}BEGIN:VEVENT\nDTSTART;TZID={zone}:{start}\n"
        "END:VEVENT\nEND:VCALENDAR\n"
    )
    meeting = reading.read(text.encode())
    assert meeting is not None
    assert meeting.start is not None
    assert meeting.start.isoformat() == expected
    assert meeting.zone == ("" if "+" in expected else zone)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY", "Every day"),
        ("FREQ=DAILY;INTERVAL=3;COUNT=1", "Every 3 days, 1 time"),
        ("FREQ=WEEKLY;BYDAY=FR;WKST=SU", "Every week on Friday"),
        ("FREQ=MONTHLY;BYMONTHDAY=5", "Every month on day 5"),
        ("FREQ=MONTHLY;BYDAY=2TU", "Every month on the second Tuesday"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "Every month on the last Friday"),
        ("FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1", "Every month on the last Friday"),
        ("FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=9", "Every year on day 9 of May"),
        ("FREQ=YEARLY;UNTIL=20280101T000000Z", "Every year, until Jan. 1, 2028"),
        (
            "FREQ=SECONDLY;COUNT=200000000",
            "Repeats, by a rule of its own, 200000000 times",
        ),
        ("FREQ=YEARLY;BYYEARDAY=1,2,3", "Repeats, by a rule of its own"),
        ("FREQ=MONTHLY;BYDAY=MO,TU", "Repeats, by a rule of its own"),
        ("COUNT=5", ""),
    ],
)
def test_rules_in_words(rule: str, expected: str) -> None:
    meeting = reading.read(ics(more=f"RRULE:{rule}\n"))
    assert meeting is not None
    assert wording.repeats(meeting.rule) == expected


HOSTILE = [
    "RRULE:FREQ=SECONDLY;COUNT=99999999999\n",
    "RRULE:FREQ=YEARLY;BYMONTH=" + ",".join(["1"] * 5000) + "\n",
    "RRULE:" + "FREQ=DAILY;" * 2000 + "\n",
    "EXDATE:" + ",".join(["20260601T100000Z"] * 9000) + "\n",
    "RDATE;VALUE=PERIOD:" + ",".join(["20260601T100000Z/P9999999D"] * 3000) + "\n",
    "DESCRIPTION:<script>alert(1)</script><img src=x onerror=alert(1)><p>Hi</p>\n",
    "DESCRIPTION:" + "<p>" * 60_000 + "\n",
    "DURATION:P99999999999W\n",
    "RECURRENCE-ID:99991231T235959Z\n",
    "".join(f"ATTENDEE:mailto:p{n}@far.test\n" for n in range(4000)),
    'ATTENDEE;CN="' + "x" * 50_000 + '":mailto:p@far.test\n',
    "BEGIN:VEVENT\n" * 900,
    "END:VEVENT\nEND:VCALENDAR\n" * 500,
    "ORGANIZER:javascript:alert(1)\n",
    'X-ODD;A=B;A=C;"=":\x01\x7f\n',
    "GEO:1e999;nan\n",
]


@pytest.mark.parametrize("more", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_ones_are_bounded(box: Box, page: Client, more: str) -> None:
    uid = box.put(letter(more=more))
    begun = time.process_time()
    said = page.get(box.url(uid))
    assert time.process_time() - begun < 5  # it would be hours, or memory without end
    assert said.status_code == 200
    text = said.content.decode()
    assert "<script>alert" not in text
    assert "onerror" not in text.replace("&lt;", "")
    assert "javascript:" not in text


@pytest.mark.parametrize(
    "start", ["00010101T000000Z", "99991231T235959Z", "20260230", "x"]
)
def test_times_out_of_the_calendar(box: Box, page: Client, start: str) -> None:
    octets = ics().replace(b"20260601T100000Z", start.encode())
    assert page.get(box.url(box.put(letter(octets=octets)))).status_code == 200


def test_zones_with_rules_without_end_are_not_expanded() -> None:
    zone = ZONE.replace("FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "FREQ=SECONDLY")
    text = f"BEGIN:VCALENDAR\n{zone * 50}" + ics().decode().partition("\r\n")[2]
    begun = time.process_time()
    assert reading.read(text.replace("\r\n", "\n").encode()) is not None
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    "url",
    [
        "mailto:a@b.test?cc=c@d.test", "mailto:a@b.test,c@d.test", "a@b.test",
        "mailto:a@b.test%0d%0aBcc:x@y.test", "http://a@b.test", "mailto:a b@c.test",
        "mailto:<a@b.test>", "mailto:" + "a" * 400 + "@b.test", "mailto:", "",
    ],
)  # fmt: skip
def test_what_is_no_address_is_nobody(url: str) -> None:
    assert reading.address_in(url) is None


def test_large_ones_are_files() -> None:
    assert reading.read(ics(more="X-A:" + "b" * 300_000 + "\n")) is None
