"""When something stops being valid, open sessions hear of it.

In this process by credential_revoked, on commit; in all others by a row that the same
transaction writes, and that they look for every few moments.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import signals
from accounts.credentials import AppPassword, Revocation

KEPT = timedelta(hours=1)


def user_deleted(instance: Any, **_: Any) -> None:
    """Receive post_delete of a User."""
    revoke(instance.pk)


def app_password_deleted(instance: AppPassword, **_: Any) -> None:
    """Receive post_delete: the sessions of this app password alone."""
    revoke(instance.user_id, app_password_id=instance.pk)


def access_token_deleted(instance: Any, **_: Any) -> None:
    """Receive post_delete of a Token of the provider: its sessions alone."""
    if instance.type == instance.Type.ACCESS_TOKEN and instance.user_id is not None:
        revoke(instance.user_id, access_token_id=instance.pk)


def account_saved(instance: Any, created: bool, **_: Any) -> None:  # noqa: FBT001 -- Django's signature
    """Receive post_save of an Account: a suspended one has no sessions."""
    if not created and not instance.active and instance.owner_id is not None:
        revoke(instance.owner_id)


def revoke(
    user_id: int,
    *,
    app_password_id: int | None = None,
    access_token_id: int | None = None,
    grants: bool = False,
) -> None:
    """End a user's sessions on commit: all, or those of one credential.

    `grants`: what programs hold goes, too; it was given by who is now in doubt.
    """
    if grants:
        from accounts.provider import revoke_all  # not before the apps are ready

        revoke_all(user_id)
    what = {"app_password_id": app_password_id, "access_token_id": access_token_id}
    Revocation.objects.create(user_id=user_id, **what)
    transaction.on_commit(
        lambda: _tell(user_id, what),
        robust=True,
    )


def revoke_all(user_ids: list[int]) -> None:
    """End all sessions of several users on commit."""
    rows = [Revocation(user_id=user_id) for user_id in user_ids]
    Revocation.objects.bulk_create(rows, batch_size=500)
    what: dict[str, int | None] = {"app_password_id": None, "access_token_id": None}

    def tell() -> None:
        for user_id in user_ids:
            _tell(user_id, what)

    transaction.on_commit(tell, robust=True)


def end_connection(connection_id: str) -> None:
    """End one connection, wherever it is."""
    Revocation.objects.create(connection_id=connection_id)


def prune() -> None:
    """Forget what every process has long heard of."""
    Revocation.objects.filter(at__lt=timezone.now() - KEPT).delete()


def _tell(user_id: int, what: dict[str, int | None]) -> None:
    signals.credential_revoked.send(Revocation, user_id=user_id, **what)
