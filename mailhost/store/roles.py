"""What a folder is for, changed after it was made. RFC 6154 §4."""

from collections.abc import Sequence

from mailhost.mail.models import Folder
from mailhost.store.errors import BadName, NoSuchFolder
from mailhost.store.state import Counts, bump_account, bump_folder


def set_role(account_id: int, folder_id: int, role: str) -> str | None:
    """Give a folder a role, "" for none; return the name of the folder that lost it.

    Part of a transaction that holds the account. Raises NoSuchFolder, and BadName for
    INBOX, whose role stays.
    """
    folder = Folder.objects.filter(account_id=account_id, pk=folder_id).first()
    if folder is None:
        raise NoSuchFolder("No such folder")
    if folder.name == "INBOX":
        raise BadName("INBOX has its use already")
    before = None
    if role:
        before = (
            Folder.objects.filter(account_id=account_id, role=role)
            .exclude(pk=folder_id)
            .first()
        )
    modseq = bump_account(account_id)
    for one, new in ((before, ""), (folder, role)):
        if one is not None:
            one.role = new
            one.save(update_fields=["role"])
            bump_folder(one.pk, modseq, Counts())
    return before.name if before is not None else None


def by_role(account_ids: Sequence[int], role: str) -> dict[int, int]:
    """Return {account: folder} of this role, for the accounts that have one."""
    rows = Folder.objects.filter(account_id__in=account_ids, role=role)
    return dict(rows.values_list("account_id", "pk"))
