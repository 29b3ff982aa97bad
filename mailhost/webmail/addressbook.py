"""The people a user keeps: groups of them, several addresses of one, doubles.

A contact is an address. The addresses of one person point to the one that leads; a
group holds contacts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from mailhost.webmail import people, vcards
from mailhost.webmail.models import Contact, ContactGroup
from mailhost.webmail.vcards import Card

MOST_GROUPS = 200  # of a user
MOST_MEMBERS = 1_000  # of a group
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody and their addresses, the leading one first."""

    lead: Contact
    others: Sequence[Contact]

    @property
    def addresses(self) -> list[str]:
        """All of them."""
        return [self.lead.address, *(one.address for one in self.others)]


def persons(user: User, begun: str = "", most: int = SHOWN) -> list[Person]:
    """Return the kept people whose name or address holds a text."""
    mine = Contact.objects.filter(user=user, kept=True, same_as=None)
    if begun:
        says = Q(name__icontains=begun) | Q(address__icontains=begun)
        mine = mine.filter(says | Q(others__address__icontains=begun)).distinct()
    found = list(mine.order_by("name", "address")[:most])
    others: dict[int, list[Contact]] = {}
    for one in Contact.objects.filter(same_as__in=found).order_by("address"):
        others.setdefault(one.same_as_id or 0, []).append(one)
    return [Person(one, others.get(one.pk, ())) for one in found]


def groups(user: User) -> list[ContactGroup]:
    """Return the user's groups with their members."""
    mine = ContactGroup.objects.filter(user=user).order_by("name")
    return list(mine.prefetch_related("members")[:MOST_GROUPS])


def group_named(user: User, name: str) -> ContactGroup | None:
    """Return the group of this name, made if need be; None: there are too many."""
    name = " ".join(name.split())[:60]
    mine = ContactGroup.objects.filter(user=user)
    found = mine.filter(name__iexact=name).first()
    if found is not None or not name or mine.count() >= MOST_GROUPS:
        return found
    return mine.create(user=user, name=name)


def join(user: User, group: ContactGroup, address: str) -> bool:
    """Put somebody into a group, kept from then on; tell whether it can be."""
    folded = address.strip().casefold()
    known = Contact.objects.filter(user=user, address=folded).first()
    if group.members.count() >= MOST_MEMBERS:
        return False
    if not people.keep(user, address, known.name if known else ""):
        return False
    group.members.add(Contact.objects.get(user=user, address=folded))
    return True


def complete(user: User, begun: str) -> list[tuple[str, str]]:
    """Return groups that a text may mean: (what is shown, their addresses)."""
    if not begun.strip():
        return []
    mine = ContactGroup.objects.filter(user=user, name__icontains=begun.strip())
    found = []
    for group in mine.order_by("name").prefetch_related("members")[:3]:
        addresses = [one.address for one in group.members.all()]
        if addresses:
            found.append((f"{group.name} ({len(addresses)})", ", ".join(addresses)))
    return found


def doubles(user: User, most: int = 50) -> list[list[Contact]]:
    """Return kept contacts of one name that are not one person yet."""
    mine = Contact.objects.filter(user=user, kept=True, same_as=None).exclude(name="")
    by_name: dict[str, list[Contact]] = {}
    for one in mine.order_by("-times", "pk"):
        by_name.setdefault(_folded(one.name), []).append(one)
    return [those for those in by_name.values() if len(those) > 1][:most]


def _folded(name: str) -> str:
    """Return a name so that "Dora Lee" and "Lee, Dora" are alike."""
    return " ".join(sorted(name.replace(",", " ").casefold().split()))


@transaction.atomic
def merge(user: User, numbers: Sequence[int]) -> int:
    """Make one person of several contacts; return how many addresses that one has."""
    mine = Contact.objects.filter(user=user, pk__in=list(numbers)[:100])
    found = list(mine.order_by("-times", "pk"))
    if len(found) < 2:
        return 0
    lead, others = found[0], found[1:]
    name = lead.name or next((one.name for one in others if one.name), "")
    Contact.objects.filter(pk=lead.pk).update(same_as=None, name=name, kept=True)
    moved = [one.pk for one in others]
    Contact.objects.filter(same_as__in=moved).update(same_as=lead)
    Contact.objects.filter(pk__in=moved).update(same_as=lead, kept=True)
    return 1 + Contact.objects.filter(same_as=lead).count()


def part(user: User, number: int) -> None:
    """Make an address a person of its own again."""
    Contact.objects.filter(user=user, pk=number).update(same_as=None)


def take_in(user: User, text: str) -> int:
    """Keep the people of vCards, with their groups; return how many addresses."""
    count = 0
    made: dict[str, ContactGroup | None] = {}
    for card in vcards.read(text, people.MOST_CARDS):
        kept = [one for one in card.addresses[:20] if people.keep(user, one, card.name)]
        count += len(kept)
        folded = [one.strip().casefold() for one in kept]
        rows = list(Contact.objects.filter(user=user, address__in=folded))
        if len(rows) > 1:
            merge(user, [one.pk for one in rows])
        for name in dict.fromkeys(card.groups):
            if name.casefold() not in made:
                made[name.casefold()] = group_named(user, name)
            group = made[name.casefold()]
            if group is not None and rows:
                group.members.add(*rows[: MOST_MEMBERS - group.members.count()])
    return count


def given(user: User) -> str:
    """Return the kept people, and their groups, as vCards."""
    mine = groups(user)
    names: dict[int, list[str]] = {}
    for group in mine:
        for member in group.members.all():
            lead = member.same_as_id or member.pk
            if group.name not in names.setdefault(lead, []):
                names[lead].append(group.name)
    cards = (
        Card(one.lead.name, one.addresses, names.get(one.lead.pk, []))
        for one in persons(user, most=people.MOST_CONTACTS)
    )
    told = [(g.name, [one.address for one in g.members.all()]) for g in mine]
    return "".join(vcards.written(cards, told))
