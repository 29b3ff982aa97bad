"""The keys that sign URLs: one for each user and folder, gone with either. RFC 4467."""

import secrets
from dataclasses import dataclass

from accounts.models import User, normalise_email
from mailhost.mail.models import UrlKey
from mailhost.store.folders import open_folder
from mailhost.store.rights import require_on

KEY_OCTETS = 32


def url_key(account_id: int, user_id: int, name: str) -> bytes:
    """Return the key of the user's own folder, made now if there is none.

    Raises NoSuchFolder.
    """
    folder = open_folder(account_id, name)
    made, _ = UrlKey.objects.get_or_create(
        user_id=user_id,
        folder_id=folder.id,
        defaults={"key": secrets.token_bytes(KEY_OCTETS)},
    )
    return bytes(made.key)


def reset_url_keys(account_id: int, user_id: int, name: str | None = None) -> None:
    """Make void what was signed for one folder, or for all. Raises NoSuchFolder."""
    keys = UrlKey.objects.filter(user_id=user_id)
    if name is not None:
        keys = keys.filter(folder_id=open_folder(account_id, name).id)
    keys.delete()


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose folder a signed URL leads to, and the key it has to be signed with."""

    account_id: int
    key: bytes


def signer(login: str, name: str) -> Signer | None:
    """Return who signs for a folder; None: nobody of that login, or nothing signed.

    Raises NoSuchFolder.
    """
    found = (
        User.objects.filter(
            email=normalise_email(login), is_active=True, account__active=True
        )
        .values_list("pk", "account__pk")
        .first()
    )
    if found is None:
        return None
    user_id, account_id = found
    folder = open_folder(account_id, name)
    require_on(folder, "r")
    made = UrlKey.objects.filter(user_id=user_id, folder_id=folder.id).first()
    return None if made is None else Signer(account_id, bytes(made.key))
