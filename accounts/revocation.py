"""When something stops being valid, open sessions hear of it by credential_revoked."""

from typing import Any

from django.db import transaction

from accounts import signals
from accounts.models import Account, AppPassword, User


def user_deleted(instance: User, **_: Any) -> None:
    """Receive post_delete."""
    revoke(instance.pk)


def app_password_deleted(instance: AppPassword, **_: Any) -> None:
    """Receive post_delete: the sessions of this app password alone."""
    revoke(instance.user_id, instance.pk)


def account_saved(instance: Account, created: bool, **_: Any) -> None:  # noqa: FBT001 -- Django's signature
    """Receive post_save: a suspended account has no sessions."""
    if not created and not instance.active and instance.owner_id is not None:
        revoke(instance.owner_id)


def revoke(user_id: int, app_password_id: int | None = None) -> None:
    """Tell on commit that a user's credentials, or one app password, are void."""
    transaction.on_commit(
        lambda: _tell(user_id, app_password_id),
        robust=True,
    )


def _tell(user_id: int, app_password_id: int | None) -> None:
    signals.credential_revoked.send(
        User, user_id=user_id, app_password_id=app_password_id
    )
