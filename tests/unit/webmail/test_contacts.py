"""People and groups: kept, put together, taken in and given as vCards."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from mailhost.webmail import addressbook, people, vcards
from mailhost.webmail.models import Contact, ContactGroup

CARDS = """BEGIN:VCARD
VERSION:4.0
UID:urn:uuid:1
FN:Dora\\, the first
EMAIL;TYPE=work:dora@far.test
EMAIL:dora@home.test
CATEGORIES:Choir,Work\\, old,myContacts
END:VCARD
BEGIN:VCARD
VERSION:3.0
N:Lee;Erik;;;
FN:Erik Lee
item1.EMAIL;type=INTERNET:erik@far.test
END:VCARD
BEGIN:VCARD
VERSION:4.0
KIND:group
FN:Friends
MEMBER:mailto:erik@far.test
MEMBER:urn:uuid:1
MEMBER:mailto:new@far.test
MEMBER:urn:uuid:unknown
END:VCARD
"""


def take_in(page: Client, text: str) -> None:
    file = SimpleUploadedFile("a.vcf", text.encode())
    assert page.post("/contacts/import/", {"cards": file}).status_code == 200


def groups(user: User) -> dict[str, list[str]]:
    return {
        group.name: sorted(one.address for one in group.members.all())
        for group in addressbook.groups(user)
    }


@pytest.mark.engines
def test_cards_bring_people_and_groups(alice: User, page: Client) -> None:
    take_in(page, CARDS)
    dora = ["dora@far.test", "dora@home.test"]
    expected = {
        "Choir": dora, "Work, old": dora,
        "Friends": sorted([*dora, "erik@far.test", "new@far.test"]),
    }  # fmt: skip
    assert groups(alice) == expected
    persons = {one.lead.name: one.addresses for one in addressbook.persons(alice)}
    assert sorted(persons["Dora, the first"]) == dora
    # What is given is what was taken, and taking it again changes nothing.
    given = page.get("/contacts/export/").content.decode()
    assert "KIND:group\r\nFN:Friends\r\nMEMBER:mailto:" in given
    take_in(page, given)
    assert groups(alice) == expected
    assert Contact.objects.filter(user=alice).count() == 4
    Contact.objects.filter(user=alice).delete()
    ContactGroup.objects.all().delete()
    take_in(page, given)
    assert groups(alice) == expected


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN:VCARD\n" * 5000,
        "BEGIN:VCARD\nFN:" + "x" * 100_000 + "\nEMAIL:a@b.test\nEND:VCARD\n",
        "BEGIN:VCARD\nCATEGORIES:" + "a," * 50_000 + "\nEMAIL:a@b.test\nEND:VCARD\n",
        "BEGIN:VCARD\nKIND:group\nFN:g\n" + "MEMBER:mailto:a@b.test\n" * 5000
        + "END:VCARD\n",
        "\0\1\2", "END:VCARD\nEMAIL:a@b.test\n", "EMAIL" + ":" * 1000,
    ],
)  # fmt: skip
def test_hostile_cards_are_bounded(alice: User, page: Client, text: str) -> None:
    take_in(page, text)
    assert ContactGroup.objects.count() <= vcards.MOST_GROUPS
    assert all(len(one.name) <= 200 for one in Contact.objects.all())


def test_what_is_written_starts_no_other_line() -> None:
    (text,) = vcards.written([vcards.Card("a\r\nEMAIL:x@y", ["b@c.test"])], [])
    assert text.count("EMAIL") == 2
    assert "\r\nEMAIL:x" not in text
    assert text.count("\r\n") == 5


@pytest.mark.engines
def test_doubles_become_one(alice: User, page: Client) -> None:
    for address in ("dora@far.test", "dora@home.test"):
        people.keep(alice, address, "Dora Lee")
    people.keep(alice, "d@old.test", "Lee, Dora")
    people.keep(alice, "other@far.test", "Other")
    assert [len(those) for those in addressbook.doubles(alice)] == [3]
    text = page.get("/contacts/").content.decode()
    assert "Perhaps the same person" in text
    page.post("/contacts/merge/", {"all": "1"})
    assert addressbook.doubles(alice) == []
    assert len(addressbook.persons(alice)) == 2
    assert len(addressbook.persons(alice, "d@old")) == 1
    assert page.get("/contacts/export/").content.count(b"BEGIN:VCARD") == 2
    second = Contact.objects.get(address="d@old.test")
    page.post(f"/contacts/{second.pk}/part/")
    assert len(addressbook.persons(alice)) == 3


def test_a_group_is_written_to(alice: User, page: Client) -> None:
    page.post("/contacts/group/", {"name": " The  choir "})
    group = ContactGroup.objects.get()
    assert group.name == "The choir"
    for address in ("dora@far.test", "Erik@far.test"):
        page.post(f"/contacts/group/{group.pk}/", {"address": address})
    text = page.get("/people/?q=choir").content.decode()
    assert "dora@far.test, erik@far.test" in text
    assert "The choir (2)" in text
    page.post(
        f"/contacts/group/{group.pk}/", {"address": "dora@far.test", "remove": "1"}
    )
    assert groups(alice) == {"The choir": ["erik@far.test"]}
    wrong = page.post(f"/contacts/group/{group.pk}/", {"address": "no address"})
    assert wrong.status_code == 409
    page.post("/contacts/group/", {"number": group.pk, "name": "Choir"})
    assert groups(alice).keys() == {"Choir"}
    page.post("/contacts/group/", {"number": group.pk, "delete": "1"})
    assert groups(alice) == {}


@pytest.mark.parametrize("who", ["bob", "stranger"])
def test_others_find_nothing(
    alice: User, page: Client, request: pytest.FixtureRequest, browser_of: Any, who: str
) -> None:
    group = addressbook.group_named(alice, "Choir")
    assert group is not None
    addressbook.join(alice, group, "dora@far.test")
    people.keep(alice, "d@x.test", "Dora")
    numbers = [one.pk for one in Contact.objects.all()]
    other = browser_of(request.getfixturevalue(who))
    place = f"/contacts/group/{group.pk}/"
    assert other.post(place, {"address": "a@b.test"}).status_code == 404
    fields = {"number": group.pk, "delete": "1"}
    assert other.post("/contacts/group/", fields).status_code == 404
    assert other.post(f"/contacts/{numbers[0]}/part/").status_code == 404
    other.post("/contacts/merge/", {"one": numbers})
    assert not Contact.objects.exclude(same_as=None).exists()
    for address in ("/contacts/", "/people/?q=choir", "/contacts/export/"):
        assert "dora" not in other.get(address).content.decode()
