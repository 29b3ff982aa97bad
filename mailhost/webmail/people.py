"""People somebody writes to: completion, and their cards (vCard, RFC 6350)."""

import re
from collections.abc import Iterable, Iterator

from django.db.models import F, Q

from accounts.models import User
from mailhost.mime.addresses import Address
from mailhost.webmail.models import Contact

MOST = 8
MOST_CONTACTS = 20_000  # of one user
MOST_CARDS = 5_000  # of one import
FOLD = re.compile(r"\r?\n[ \t]")
LINE = re.compile(r"(?:[\w-]+\.)?(EMAIL|FN)(?:;[^:\n]*)?:(.*)", re.IGNORECASE)
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


def read_cards(text: str) -> Iterator[tuple[str, str]]:
    """Yield (address, name) of the cards in a text; what is none is passed over."""
    name, addresses = "", list[str]()
    for line in FOLD.sub("", text).splitlines():
        match = LINE.match(line)
        if line.strip().upper() == "BEGIN:VCARD":
            name, addresses = "", []
        elif line.strip().upper() == "END:VCARD":
            yield from ((address, name) for address in addresses)
        elif match and match[1].upper() == "FN":
            name = _plain(match[2])
        elif match:
            addresses.append(_plain(match[2]))


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", lambda m: " " if m[1] in "nN" else m[1], value).strip()


def cards(user: User) -> str:
    """Return the kept people as vCard 4.0."""
    found = Contact.objects.filter(user=user, kept=True).order_by("name", "address")
    return "".join(
        "BEGIN:VCARD\r\nVERSION:4.0\r\n"
        f"FN:{_escaped(one.name or one.address)}\r\nEMAIL:{_escaped(one.address)}\r\n"
        "END:VCARD\r\n"
        for one in found
    )


def _escaped(value: str) -> str:
    plain = "".join(c for c in value if c.isprintable())
    return re.sub(r"([\\,;])", r"\\\1", plain)
