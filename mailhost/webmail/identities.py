"""As whom somebody may write, and how: name, signature, where answers go.

The addresses are those that accounts allows; a row adds to one of them what its owner
chose. Without a row it is the login's name, and the signature of the preferences.
"""

from dataclasses import dataclass

from accounts.models import User
from mailhost.mime.addresses import Address, parse_addresses
from mailhost.mime.html import to_text
from mailhost.webmail import door, preferring, quoting, sanitise, writing
from mailhost.webmail.models import Identity

MOST_SIGNATURE = 300_000  # characters, small pictures included


@dataclass(frozen=True, slots=True)
class Sender:
    """One address and how it is written as."""

    address: str
    name: str
    reply_to: str = ""
    signature: str = ""  # HTML, clean
    is_default: bool = False

    @property
    def mailbox(self) -> Address:
        """What stands in From."""
        local, _at, host = self.address.rpartition("@")
        return Address(self.name, local, host)

    @property
    def label(self) -> str:
        """How it is chosen."""
        return quoting.spelled([self.mailbox])

    @property
    def answers_to(self) -> tuple[Address, ...]:
        """What stands in Reply-To."""
        return tuple(parse_addresses(self.reply_to.encode("utf-8", "replace")))

    @property
    def text(self) -> str:
        """The signature as plain text."""
        return to_text(self.signature).strip("\n") if self.signature else ""


def senders(user: User) -> list[Sender]:
    """Return as whom a user may write, the default first."""
    return door.once(user, "senders", lambda: _senders(user))


def _senders(user: User) -> list[Sender]:
    rows = {row.address: row for row in Identity.objects.filter(user=user)}
    plain = preferring.of(user).signature
    signature = writing.of_text(plain) if plain else ""
    found = []
    for address in door.own_addresses(user):
        row = rows.get(address.casefold())
        if row is None:
            found.append(Sender(address, user.name, signature=signature))
        else:
            name = row.name or user.name
            kept = (row.reply_to, row.signature, row.is_default)
            found.append(Sender(address, name, *kept))
    return sorted(found, key=lambda one: not one.is_default)


def of(user: User, address: str) -> Sender:
    """Return how a user writes as an address; as any other, by their name alone."""
    wanted = address.casefold()
    found = (one for one in senders(user) if one.address.casefold() == wanted)
    return next(found, Sender(address, user.name))


def keep(user: User, sender: Sender) -> None:
    """Keep how a user writes as one of their addresses."""
    mine = Identity.objects.filter(user=user)
    if sender.is_default:
        mine.update(is_default=False)
    mine.update_or_create(
        user=user,
        address=sender.address.casefold(),
        defaults={
            "name": sender.name[:200],
            "reply_to": sender.reply_to[:1000],
            "signature": sanitise.clean(sender.signature[:MOST_SIGNATURE], {}).html,
            "is_default": sender.is_default,
        },
    )
    door.forget(user)
