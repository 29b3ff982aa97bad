"""The STATUS response, to who asked and to who did not. RFC 9051 §7.3.4."""

from collections.abc import Mapping, Sequence

from mailhost.store.values import FolderInfo
from protocols.imap.names import written
from protocols.imap.responses import untagged
from protocols.imap.session import Session


def status_line(
    session: Session,
    name: str,
    folder: FolderInfo,
    items: Sequence[str],
    storage: Mapping[int, int],
) -> bytes:
    """Write a STATUS response; `storage` is what `deleted_storage` gave."""
    recent = max(0, folder.uid_next - folder.recent_uid)
    values = {
        "MESSAGES": folder.messages,
        "RECENT": min(recent, folder.messages),
        "UIDNEXT": folder.uid_next,
        "UIDVALIDITY": folder.uid_validity,
        "UNSEEN": folder.unseen,
        "DELETED": folder.deleted,
        "SIZE": folder.bytes,
        "HIGHESTMODSEQ": folder.modseq,
        "MAILBOXID": f"(F{folder.mailbox_id})",
        "DELETED-STORAGE": storage.get(folder.id, 0),
        "APPENDLIMIT": session.at.max_message,
    }
    told = " ".join(f"{item} {values[item]}" for item in items)
    return untagged(f"STATUS {written(session, name)} ({told})")
