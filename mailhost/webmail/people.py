"""People somebody writes to: completion, and who is kept."""

import re
from collections.abc import Iterable

from django.db.models import F, Q

from accounts.models import User
from mailhost.mime.addresses import Address
from mailhost.webmail.models import Contact

MOST = 8
MOST_CONTACTS = 20_000  # of one user
MOST_CARDS = 5_000  # of one import
ADDRESS = re.compile(r"[^\s@<>,;:\"]{1,64}@[^\s@<>,;:\"]{1,255}\Z")


def complete(user: User, begun: str) -> list[Contact]:
    """Return whom a text may mean, those written to most first."""
    words = begun.split()[:4]
    if not words:
        return []
    found = Contact.objects.filter(user=user)
    for word in words:
        found = found.filter(Q(name__icontains=word) | Q(address__icontains=word))
    return list(found.order_by("-times", "-kept", "name")[:MOST])


def wrote_to(user: User, people: Iterable[Address]) -> None:
    """Note that a letter went to these people."""
    by_address = {person.addr.casefold()[:320]: person for person in people}
    mine = Contact.objects.filter(user=user)
    known = set(mine.filter(address__in=by_address).values_list("address", flat=True))
    mine.filter(address__in=known).update(times=F("times") + 1)
    if mine.count() >= MOST_CONTACTS:
        return
    Contact.objects.bulk_create(
        (
            Contact(user=user, address=address, name=person.name[:200], times=1)
            for address, person in by_address.items()
            if address not in known
        ),
        ignore_conflicts=True,
    )


def keep(user: User, address: str, name: str) -> bool:
    """Keep somebody; tell whether the address can be one."""
    address = address.strip().casefold()
    if not ADDRESS.match(address) or (
        Contact.objects.filter(user=user).count() >= MOST_CONTACTS
    ):
        return False
    Contact.objects.update_or_create(
        user=user,
        address=address,
        defaults={"name": name.strip()[:200], "kept": True},
    )
    return True
