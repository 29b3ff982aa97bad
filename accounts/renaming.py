"""A person's login and address change; mail to the old address still comes."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, Address, Domain, User, normalise_email
from accounts.names import split_address


def check_rename(user: User, email: str) -> None:
    """Raise ValidationError when another has the address, or its domain is not ours."""
    local_part, name = split_address(email)
    if User.objects.exclude(pk=user.pk).filter(email=email).exists():
        raise ValidationError(_("There is a user %(email)s.") % {"email": email})
    if not local_part or not Domain.objects.filter(name=name).exists():
        raise ValidationError(_("%(name)s is no domain of this host.") % {"name": name})
    there = Address.objects.filter(domain__name=name, local_part=local_part).first()
    if there is not None and (
        there.forward_to or there.accounts.exclude(owner=user).exists()
    ):
        raise ValidationError(_("%(email)s leads to others.") % {"email": email})


def rename(user: User, email: str) -> None:
    """Give a user another login and address; the old address stays as an alias.

    Raises ValidationError as check_rename.
    """
    email = normalise_email(email)
    check_rename(user, email)
    local_part, name = split_address(email)
    with transaction.atomic():
        account = Account.objects.get(owner=user)
        if account.name == user.email:
            account.name = email
            account.save(update_fields=["name"])
        user.email = email
        user.save(update_fields=["email"])
        address, _new = Address.objects.get_or_create(
            domain=Domain.objects.get(name=name), local_part=local_part
        )
        address.accounts.add(account)
