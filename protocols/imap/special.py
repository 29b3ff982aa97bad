r"""Attributes of a mailbox in LIST. RFC 9051 §7.3.1; special uses are RFC 6154 §2.

\Snoozed is of draft-ietf-mailmaint-messageflag-mailboxattribute.
"""

from mailhost.store.values import FolderInfo

# Role in the store -> attribute. INBOX has none.
USES = {
    "all": "\\All",
    "archive": "\\Archive",
    "drafts": "\\Drafts",
    "flagged": "\\Flagged",
    "important": "\\Important",
    "junk": "\\Junk",
    "sent": "\\Sent",
    "snoozed": "\\Snoozed",
    "trash": "\\Trash",
}
ROLES = {attribute.lower(): role for role, attribute in USES.items()}


def attributes(folder: FolderInfo, *, has_children: bool | None = None) -> list[str]:
    """Return its attributes; `has_children` None: not known, not told."""
    found = []
    if has_children is not None:
        found.append("\\HasChildren" if has_children else "\\HasNoChildren")
    if folder.role in USES:
        found.append(USES[folder.role])
    return found
