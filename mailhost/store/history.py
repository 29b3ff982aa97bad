"""What happened in a folder since a modseq: for clients that come back.

Each question costs what changed, not what the folder holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailhost.store import sql
from mailhost.store.errors import NoSuchFolder
from mailhost.store.reading import NotBrief, here

NO_LIMIT = 1 << 62
BRIEF_ROWS = 256  # that the event loop reads itself
MOST_CHANGED = 2_000  # messages; where more changed, a look at all rows is cheaper

EXPUNGED = """
    SELECT uid FROM mail_tombstone WHERE folder_id = %s AND modseq > %s
    ORDER BY uid LIMIT %s
"""
STATE = "SELECT pruned_modseq, uid_next FROM mail_folderstate WHERE folder_id = %s"
CHANGED = """
    SELECT uid FROM mail_message WHERE folder_id = %s AND modseq > %s LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Expunges:
    """UIDs that left, ascending; None: too long ago, all that are absent may have."""

    uids: Sequence[int] | None
    last_uid: int  # the highest UID ever given in the folder, or 0


def expunged_since(folder_id: int, modseq: int) -> Expunges:
    """Return what left the folder after `modseq`. Raises NoSuchFolder.

    Raises NotBrief on the event loop where there is much to tell. RFC 7162 §5.3.
    """
    most = BRIEF_ROWS if here.brief else NO_LIMIT
    gone = [row[0] for row in sql.rows(EXPUNGED, [folder_id, modseq, most])]
    # Read after them: what a sweep takes in between is noted here.
    state = sql.rows(STATE, [folder_id])
    if not state:
        raise NoSuchFolder("The folder is gone")
    pruned, uid_next = state[0]
    if here.brief and (modseq < pruned or len(gone) >= BRIEF_ROWS):
        raise NotBrief
    return Expunges(None if modseq < pruned else gone, uid_next - 1)


def changed_since(folder_id: int, modseq: int) -> list[int] | None:
    """Return the UIDs, ascending, of what changed or came after `modseq`.

    None: more than MOST_CHANGED. Raises NotBrief as `expunged_since` does.
    """
    most = BRIEF_ROWS if here.brief else MOST_CHANGED + 1
    found = sql.rows(CHANGED, [folder_id, modseq, most])
    if here.brief and len(found) >= BRIEF_ROWS:
        raise NotBrief
    if len(found) > MOST_CHANGED:
        return None
    return sorted(row[0] for row in found)
