"""Who may come in: suspend a user, and undo it."""

from django.db import transaction

from accounts.models import Account, User


def suspend(user: User) -> None:
    """Lock a user out at once: no login, no new mail; what there is stays."""
    _set(user, active=False)


def resume(user: User) -> None:
    """Undo suspend."""
    _set(user, active=True)


def _set(user: User, *, active: bool) -> None:
    with transaction.atomic():
        account = Account.objects.filter(owner=user).first()
        if account is not None:
            account.active = active
            account.save(update_fields=["active"])
        user.is_active = active
        user.save(update_fields=["is_active"])
