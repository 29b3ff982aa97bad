"""What a domain's administrator may see: nothing beyond the domains they administer.

A superuser, and staff with permissions of Django's, have no such bounds: None.
"""

import functools
import operator
from typing import Any, TypeAlias

from allauth.idp.oidc.models import Token
from django.db.models import Model, Q, QuerySet

from accounts.addresses import split_detail
from accounts.models import (
    Account,
    Address,
    AppPassword,
    Domain,
    LoginRecord,
    Membership,
    User,
)

Domains: TypeAlias = QuerySet[Domain]


def domains_of(user: Any) -> Domains | None:
    """Return the domains that bound what a user may administer; None: no bounds."""
    if not user.is_authenticated or user.is_superuser:
        return None
    mine: Domains = user.administered_domains.filter(active=True)
    return mine if mine.exists() else None


def may_administer(user: Any) -> bool:
    """Tell whether somebody may enter the admin at all."""
    if not user.is_active:
        return False
    return bool(user.is_staff or domains_of(user) is not None)


def users_in(domains: Domains) -> QuerySet[User]:
    """Return the people of these domains that their administrators manage.

    Not those with more rights: who sets their password would have them too.
    """
    names = {n for pair in domains.values_list("name", "unicode_name") for n in pair}
    here = functools.reduce(
        operator.or_,
        (Q(email__endswith=f"@{name}") for name in names - {""}),
        Q(pk__in=[]),
    )
    return User.objects.filter(here).exclude(pk__in=above(domains).values("pk"))


def above(domains: Domains) -> QuerySet[User]:
    """Return who has more rights than to administer these domains."""
    elsewhere = Domain.objects.exclude(pk__in=domains.values("pk"))
    more = User.objects.filter(administered_domains__in=elsewhere)
    return User.objects.filter(
        Q(is_staff=True) | Q(is_superuser=True) | Q(pk__in=more.values("pk"))
    )


def accounts_in(domains: Domains) -> QuerySet[Account]:
    """Return their accounts, and the shared ones of these domains."""
    return Account.objects.filter(
        Q(owner__in=users_in(domains)) | Q(owner=None, domain__in=domains)
    )


def addresses_in(domains: Domains) -> QuerySet[Address]:
    """Return the addresses of these domains, but of nobody who has more rights.

    Who could turn such an address to themselves would receive and write in its name.
    """
    theirs = Account.objects.filter(owner__in=above(domains))
    rows = Address.objects.filter(domain__in=domains)
    return rows.exclude(accounts__in=theirs.values("pk"))


def is_above(local_part: str, domain: Domain, domains: Domains) -> bool:
    """Tell whether an address is the login of who has more rights, or a detail."""
    base, _ = split_detail(local_part, domain.plus_separators)
    names = {f"{part}@{domain.name}" for part in (local_part, base)}
    return above(domains).filter(email__in=names).exists()


def app_passwords_in(domains: Domains) -> QuerySet[AppPassword]:
    """Return the app passwords of their people."""
    return AppPassword.objects.filter(user__in=users_in(domains))


def memberships_in(domains: Domains) -> QuerySet[Membership]:
    """Return who of their people may use their shared accounts."""
    shared = accounts_in(domains).filter(owner=None)
    return Membership.objects.filter(account__in=shared, user__in=users_in(domains))


def tokens_in(domains: Domains) -> QuerySet[Any]:
    """Return the access tokens of their people's programs."""
    found: QuerySet[Any] = Token.objects.filter(user__in=users_in(domains))
    return found


def logins_in(domains: Domains) -> QuerySet[LoginRecord]:
    """Return their people's logs of logins."""
    return LoginRecord.objects.filter(user__in=users_in(domains))


SCOPES: dict[type[Model], Any] = {
    Domain: lambda domains: domains,
    User: users_in,
    Account: accounts_in,
    Address: addresses_in,
    AppPassword: app_passwords_in,
    Membership: memberships_in,
    Token: tokens_in,
    LoginRecord: logins_in,
}


def within(model: type[Model], domains: Domains | None) -> QuerySet[Any]:
    """Return the rows of a model within these bounds; none of a model without any."""
    everything: QuerySet[Any] = model._default_manager.all()  # noqa: SLF001 - public
    if domains is None:
        return everything
    if model not in SCOPES:
        return everything.none()
    found: QuerySet[Any] = SCOPES[model](domains)
    return found
