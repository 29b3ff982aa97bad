"""What follows the restoring of a backup: nothing told to anyone is issued again.

Between the backup and the loss UIDs and modseqs were told that the restored rows know
nothing of. RFC 9051 §2.3.1.1; RFC 7162 §3.1.1.
"""

from mailhost.mail.models import AccountState, Folder, FolderState
from mailhost.store import changes
from mailhost.store.folders import next_uid_validity
from mailhost.store.state import LEAP, bump_account


def renew(account_id: int) -> int:
    """Leap ahead in modseq, and give every folder a new UIDVALIDITY; return how many.

    Raises NoSuchFolder when the account is gone.
    """
    state = AccountState.objects.get(account_id=account_id)
    AccountState.objects.filter(pk=state.pk).update(modseq=state.modseq + LEAP)
    modseq = bump_account(account_id)
    folders = Folder.objects.filter(account_id=account_id)
    for folder in folders.order_by("pk"):
        validity = next_uid_validity(account_id)
        Folder.objects.filter(pk=folder.pk).update(uid_validity=validity)
    # No tombstone speaks of the new UIDVALIDITY.
    count = FolderState.objects.filter(folder__in=folders).update(
        modseq=modseq, pruned_modseq=modseq
    )
    changes.tell_on_commit(account_id, modseq)
    return count
