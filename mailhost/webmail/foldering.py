"""What is done with folders: made, named, moved, deleted, shared; and what reverses it.

Deleting moves a folder to Trash, where it can be taken back from; there it is deleted
for good, with what is below. Rights are those of RFC 4314 §4, asked where they count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from mailhost.store import acl, folders, retention, rights
from mailhost.store.errors import BadName, NoSuchFolder
from mailhost.store.gate import gate
from mailhost.store.values import FolderInfo
from mailhost.webmail import door, sending
from mailhost.webmail.acting import Step

SHARED = "Shared"  # as IMAP shows what others share
MOST_BELOW = 1_000  # folders that are changed with the one above

# What may be given, in plain words; the letters are those of RFC 4314 §2.1.
LEVELS = {
    "look": ("lr", gettext_lazy("look: read, and leave no mark")),
    "read": ("lrs", gettext_lazy("read, and mark as read")),
    "write": ("lrswipte", gettext_lazy("write: file, move, star and delete messages")),
    "manage": ("lrswipkxtea", gettext_lazy("manage: also rename, delete and share it")),
}


class NotDone(Exception):
    """Nothing was changed; the text says why, to people."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What is told, and what brings it back."""

    text: str
    steps: Sequence[Step] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """Somebody who may see a folder."""

    identifier: str
    level: str  # one of LEVELS, or "" for letters of its own
    rights: str
    is_fixed: bool  # by ownership or membership

    @property
    def is_group(self) -> bool:
        """Whether it is a group."""
        return self.identifier.startswith(acl.GROUP)

    @property
    def name(self) -> str:
        """How people read it."""
        if self.identifier == acl.ANYONE:
            return _("everybody here")
        return self.identifier.removeprefix(acl.GROUP)


def is_kept(folder: FolderInfo) -> bool:
    """Tell whether a folder keeps its name and place: it is there for something."""
    return bool(folder.role) or folder.name == "INBOX"


def create(user: User, account_id: int, name: str) -> Changed:
    """Make a folder, and for one's own subscribe to it. Raises StoreError."""
    _require_place(user, account_id, name)
    made = gate.write_sync([account_id], folders.create_folder, account_id, name)
    if is_own(user, account_id):
        gate.write_sync([account_id], folders.subscribe, user.pk, made.name)
    text = _("The folder “%s” was made.") % made.name
    return Changed(text, [{"unmake": f"{account_id}.{made.id}"}])


def rename(user: User, folder: FolderInfo, name: str) -> Changed:
    """Give a folder another name or place, with all below it. Raises StoreError."""
    if is_kept(folder) or not name.strip():
        raise NotDone(_("This folder keeps its name."))
    _require_place(user, folder.account_id, name)
    _rename(user, folder, name)
    step = {"rename": f"{folder.account_id}.{folder.id}", "name": folder.name}
    return Changed(_("The folder is now “%s”.") % name, [step])


def _rename(user: User, folder: FolderInfo, name: str) -> None:
    """Rename, and let the user's own subscriptions follow."""
    account_id = folder.account_id

    def renamed() -> None:
        folders.rename_folder(account_id, folder.name, name)
        if not is_own(user, account_id):
            return
        for old in folders.subscriptions(user.pk):
            if old == folder.name or old.startswith(f"{folder.name}/"):
                folders.unsubscribe(user.pk, old)
                folders.subscribe(user.pk, name + old[len(folder.name) :])

    gate.write_sync([account_id], renamed)


def delete(user: User, folder: FolderInfo) -> Changed:
    """Move a folder to Trash; one that lies there goes for good. Raises StoreError."""
    if is_kept(folder):
        raise NotDone(_("This folder cannot be deleted."))
    account_id = folder.account_id
    if not set("li") <= set(door.account(user, account_id).rights):
        return _delete(user, folder)  # their Trash is not ours
    trash = gate.write_sync(
        [account_id], sending.with_role, account_id, "trash", _("Trash")
    )
    if folder.name.startswith(f"{trash.name}/"):
        return _delete(user, folder)
    taken = {one.name for one in gate.read_sync(folders.list_folders, account_id)}
    name = stem = f"{trash.name}/{folder.name.rpartition('/')[2]}"
    number = 1
    while name in taken:
        number += 1
        name = f"{stem} {number}"
    _rename(user, folder, name)
    step = {"rename": f"{account_id}.{folder.id}", "name": folder.name}
    return Changed(_("The folder “%s” is in Trash.") % folder.name, [step])


def _delete(user: User, folder: FolderInfo) -> Changed:
    """Delete a folder and those below it, the deepest first.

    Raises PermissionDenied where one of them is not the user's to delete.
    """
    account_id = folder.account_id
    found = gate.read_sync(folders.list_folders, account_id)
    below = [one.name for one in found if one.name.startswith(f"{folder.name}/")]
    if len(below) > MOST_BELOW:
        raise NotDone(_("There are too many folders below it."))
    if not _may_delete(user, account_id).issuperset(below):
        raise PermissionDenied
    for name in [*sorted(below, key=lambda n: -n.count("/")), folder.name]:
        gate.write_sync([account_id], folders.delete_folder, account_id, name)
    return Changed(_("The folder “%s” was deleted.") % folder.name)


def _may_delete(user: User, account_id: int) -> set[str]:
    seen = gate.read_sync(folders.list_folders, account_id, user.pk)
    return {one.name for one in seen if "x" in one.rights}


def back(user: User, step: Step) -> int:
    """Reverse what was done with a folder; tell how many that were. Raises Http404."""
    folder = door.folder_named(user, step.get("rename") or step["unmake"], "x")
    if "rename" in step:
        _require_place(user, folder.account_id, step["name"])
        _rename(user, folder, step["name"])
        return 1
    found = gate.read_sync(folders.list_folders, folder.account_id)
    if folder.messages or any(f.name.startswith(f"{folder.name}/") for f in found):
        raise Http404  # something came into it meanwhile
    gate.write_sync(
        [folder.account_id], folders.delete_folder, folder.account_id, folder.name
    )
    return 1


def _require_place(user: User, account_id: int, name: str) -> None:
    """Raise PermissionDenied where the user may make no folder of this name."""
    held = gate.read_sync(rights.rights_to_make, user.pk, account_id, name)
    if "k" not in held:
        raise PermissionDenied


def empty(user: User, folder: FolderInfo) -> Changed:
    """Remove all that lies in Trash or Junk for good, the user's folders in it too."""
    if folder.role not in retention.ROLES:
        raise NotDone(_("Only Trash and Junk can be emptied."))
    if not set("te") <= set(folder.rights):
        raise PermissionDenied
    account_id = folder.account_id
    count = retention.empty(account_id, folder.id)
    found = gate.read_sync(folders.list_folders, account_id)
    doomed = _may_delete(user, account_id)
    below = [one for one in found if one.name.startswith(f"{folder.name}/")]
    for one in sorted(below, key=lambda f: -f.name.count("/"))[:MOST_BELOW]:
        if one.name in doomed:
            gate.write_sync([account_id], folders.delete_folder, account_id, one.name)
            count += one.messages
    text = ngettext("%d message removed.", "%d messages removed.", count)
    return Changed(text % count)


def is_own(user: User, account_id: int) -> bool:
    """Tell whether it is the user's own account."""
    return door.account(user, account_id).owner_id == user.pk


def full_name(user: User, folder: FolderInfo) -> str:
    """Return a folder's name as the user's mail programs see it."""
    if is_own(user, folder.account_id):
        return folder.name
    label = door.account(user, folder.account_id).name.replace("/", "_")
    return f"{SHARED}/{label}/{folder.name}"


def subscribe(user: User, folder: FolderInfo, *, wanted: bool) -> None:
    """Have mail programs show a folder, or not. Raises StoreError."""
    own = [
        one.account.id for one in door.accounts(user) if is_own(user, one.account.id)
    ]
    change = folders.subscribe if wanted else folders.unsubscribe
    gate.write_sync(own, change, user.pk, full_name(user, folder))


def shares(folder: FolderInfo) -> list[Share]:
    """Return who may see a folder."""
    found = gate.read_sync(acl.access_list, folder.account_id, folder.id)
    by_letters = {
        rights.ordered(letters): name for name, (letters, _) in LEVELS.items()
    }
    return [
        Share(
            one.identifier, by_letters.get(one.rights, ""), one.rights, bool(one.always)
        )
        for one in found
    ]


def share(
    user: User, folder: FolderInfo, identifier: str, level: str, *, below: bool
) -> None:
    """Give somebody a level, or with "" take all away. Raises StoreError, NotDone."""
    if "a" not in folder.rights:
        raise PermissionDenied
    letters = LEVELS[level][0] if level else ""
    chosen = [folder, *(_below(user, folder) if below else ())]
    who = gate.read_sync(acl.subject, user.pk, folder.id, identifier)
    if who.user_id == user.pk:
        raise NotDone(_("You cannot change what you hold yourself."))
    held = sorted({folder.account_id, who.account_id or folder.account_id})

    def change() -> None:
        for one in chosen:
            if letters:
                acl.change_rights(folder.account_id, one.id, who, "", letters)
            else:
                acl.drop_rights(folder.account_id, one.id, who)

    gate.write_sync(held, change)


def _below(user: User, folder: FolderInfo) -> list[FolderInfo]:
    found = gate.read_sync(folders.list_folders, folder.account_id, user.pk)
    return [
        one
        for one in found
        if one.name.startswith(f"{folder.name}/") and "a" in one.rights
    ][:MOST_BELOW]


def check(name: str) -> str:
    """Return a folder's name as it can be. Raises NotDone."""
    try:
        return folders.to_make(name.strip())
    except (BadName, NoSuchFolder) as error:
        raise NotDone(str(error)) from None
