"""What a domain may hold: accounts, aliases, and the quotas of all accounts together.

One place for everybody who makes or enlarges something: the admin, CSV, invitations,
commands, people themselves, directories that bring users along. The models ask here
when they are saved, behind the domain's row: of two at once the second counts what the
first has made. What is there already, and does not grow, is never refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import (
    BigIntegerField,
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce, Concat
from django.utils.translation import gettext as _

from accounts.models import Account, Address, Domain, User
from accounts.names import split_address


class DomainFull(ValidationError):
    """The domain may not hold more; the text says of what."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a domain holds. Deleted accounts count while they can be restored."""

    accounts: int
    aliases: int
    octets: int  # of all quotas


@dataclass(slots=True)
class Room:
    """What more a domain may hold; None: no limit."""

    domain: Domain
    accounts: int | None
    aliases: int | None
    octets: int | None

    def take(self, accounts: int = 0, aliases: int = 0) -> None:
        """Count more accounts and aliases. Raises DomainFull."""
        self.accounts = self._less(
            accounts, self.accounts, _("%(domain)s may have no more accounts.")
        )
        self.aliases = self._less(
            aliases, self.aliases, _("%(domain)s may have no more aliases.")
        )

    def take_quota(self, octets: int | None, before: int = 0) -> None:
        """Count a quota in place of one before; None: there is no bound to it."""
        if self.octets is None:
            return
        if octets is None:
            text = _("Say a quota: those of %(domain)s are limited together.")
            raise DomainFull(text % {"domain": self.domain})
        text = _("The quotas of %(domain)s are used up: %(n)d MiB are left.")
        left = max(0, self.octets + before) >> 20
        self.octets = self._less(max(0, octets - before), self.octets, text, n=left)

    def _less(self, more: int, left: int | None, text: str, **facts: int) -> int | None:
        if not more or left is None:
            return left
        if more > left:
            raise DomainFull(text % {"domain": self.domain, **facts})
        return left - more


def held(domain: Domain, *, but: int = 0) -> Held:
    """Return what a domain holds; `but`: an account that is not counted."""
    mine = Q(owner__in=domain.people()) | Q(owner=None, domain=domain)
    found = (
        Account.objects.filter(mine)
        .exclude(pk=but)
        .annotate(
            quota=Coalesce("quota_bytes", Value(_server_quota(), BigIntegerField()))
        )
        .aggregate(
            accounts=Count("pk"),
            octets=Coalesce(Sum("quota"), Value(0)),
        )
    )
    login = Concat("local_part", Value(f"@{domain.name}"))
    is_login = Exists(User.objects.filter(email=OuterRef("whole")))
    rows = Address.objects.filter(domain=domain).annotate(whole=login)
    return Held(
        found["accounts"], rows.filter(~is_login).count(),
        int(found["octets"]),
    )  # fmt: skip


def room(domain: Domain, *, but: int = 0) -> Room:
    """Return what more a domain may hold. One query where nothing is limited."""
    most = domain.most_accounts, domain.most_aliases, domain.most_quota_bytes
    if most == (None, None, None):
        return Room(domain, None, None, None)
    if connection.in_atomic_block:
        # In the order in which they come: each counts what was committed before.
        Domain.objects.select_for_update(no_key=True).filter(pk=domain.pk).first()
    has = held(domain, but=but)
    left = (
        None if limit is None else limit - used
        for limit, used in zip(
            most, (has.accounts, has.aliases, has.octets), strict=True
        )
    )
    return Room(domain, *left)


def domain_of(email: str) -> Domain | None:
    """Return the domain of a login or address, if it is ours."""
    return Domain.objects.filter(name=split_address(email)[1]).first()


def home_of(account: Account) -> Domain | None:
    """Return the domain in whose limits an account counts."""
    return account.domain if account.owner is None else domain_of(account.owner.email)


def effective(quota_bytes: int | None) -> int | None:
    """Return what an account may hold; None: no limit."""
    return _server_quota() if quota_bytes is None else quota_bytes


def check_account(account: Account) -> None:
    """Raise DomainFull if the domain has no room for an account as it is now."""
    domain = home_of(account)
    if domain is None:
        return
    before = Account.objects.filter(pk=account.pk).first()
    is_new = before is None or home_of(before) != domain
    had = None if before is None or is_new else effective(before.quota_bytes)
    wants = effective(account.quota_bytes)
    if not is_new and (had is None or (wants is not None and wants <= had)):
        return
    left = room(domain, but=account.pk or 0)
    if is_new:
        left.take(accounts=1)
    left.take_quota(wants)


def check_address(address: Address) -> None:
    """Raise DomainFull if the domain has no room for a new address."""
    if Address.objects.filter(pk=address.pk, domain=address.domain_id).exists():
        return
    login = f"{address.local_part}@{address.domain.name}"
    if not User.objects.filter(email=login).exists():
        room(address.domain).take(aliases=1)


def check_rename(user: User, before: str) -> None:
    """Raise DomainFull if there is no room for a user under another address.

    The old one stays as an alias, unless an alias becomes the login.
    """
    old, new = domain_of(before), domain_of(user.email)
    if new is not None and new != old:
        account = Account.objects.filter(owner=user).first()
        left = room(new)
        left.take(accounts=1)
        left.take_quota(effective(account.quota_bytes if account else None))
    if old is not None:
        aliases = [_address(before)] + [_address(user.email)] * (old == new)
        if [rows.exists() for rows in aliases] in ([True], [True, False]):
            room(old).take(aliases=1)


def _address(email: str) -> QuerySet[Address]:
    local_part, domain = split_address(email)
    return Address.objects.filter(domain__name=domain, local_part=local_part)


class Rooms:
    """What several domains have left while people are made, one after the other."""

    def __init__(self) -> None:
        """Look when a domain is first named."""
        self._rooms: dict[str, Room | None] = {}

    def take(
        self, email: str, quota_mb: int | None, aliases: Sequence[str],
        user: User | None = None,
    ) -> None:  # fmt: skip
        """Count a person to be made, or changed if there is one. Raises DomainFull."""
        account = Account.objects.filter(owner=user).first() if user else None
        left = self._of(email)
        if left is not None:
            quota = None if quota_mb is None else quota_mb << 20
            if account is not None and quota is not None:
                had = effective(account.quota_bytes)
                left.take_quota(quota, quota if had is None else had)
            elif account is None:
                left.take(accounts=1)
                default = left.domain.default_quota_bytes
                left.take_quota(effective(default if quota is None else quota))
        for alias in aliases:
            other = self._of(alias)
            if other is not None and not _address(alias).exists():
                other.take(aliases=1)

    def _of(self, email: str) -> Room | None:
        name = split_address(email)[1]
        if name not in self._rooms:
            domain = domain_of(email)
            self._rooms[name] = None if domain is None else room(domain)
        return self._rooms[name]


def told(domain: Domain) -> str:
    """Return what a domain holds of what it may, for its administrators."""
    has = held(domain)
    quota = domain.most_quota_bytes
    parts = (
        (_("%(n)s accounts"), has.accounts, domain.most_accounts),
        (_("%(n)s aliases"), has.aliases, domain.most_aliases),
        (_("%(n)s MiB of quotas"), has.octets >> 20, quota and quota >> 20),
    )
    return ", ".join(
        text
        % {"n": n if most is None else _("%(n)d of %(most)d") % {"n": n, "most": most}}
        for text, n, most in parts
    )


def _server_quota() -> int | None:
    return settings.MAILHOST_DEFAULT_QUOTA_BYTES or None
