"""Who may come in: suspend a user, mark an account for removal, and undo both."""

from django.db import transaction
from django.utils import timezone

from accounts.models import Account, User


def suspend(user: User, *, takes_mail: bool = False) -> None:
    """Lock a user out at once; what there is stays. `takes_mail`: new mail comes in."""
    with transaction.atomic():
        account = Account.objects.filter(owner=user).first()
        if account is not None:
            account.takes_mail = takes_mail
            account.save(update_fields=["takes_mail"])
        _set(user, account, active=False)


def resume(user: User) -> None:
    """Undo suspend, and delete while its grace time lasts."""
    with transaction.atomic():
        account = Account.objects.filter(owner=user).first()
        if account is not None:
            restore(account)
        _set(user, account, active=True)


def delete(account: Account) -> None:
    """Close an account; it is removed, with its user, when the grace time is over."""
    with transaction.atomic():
        if account.owner is not None:
            suspend(account.owner)
            account.refresh_from_db()
        account.active = account.takes_mail = False
        account.deleted_at = timezone.now()
        account.save(update_fields=["active", "takes_mail", "deleted_at"])


def restore(account: Account) -> None:
    """Undo delete for an account; its user is resumed by resume()."""
    account.active, account.deleted_at = True, None
    account.save(update_fields=["active", "deleted_at"])


def _set(user: User, account: Account | None, *, active: bool) -> None:
    if account is not None:
        account.active = active
        account.save(update_fields=["active"])
    user.is_active = active
    user.save(update_fields=["is_active"])
