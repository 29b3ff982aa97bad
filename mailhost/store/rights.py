"""Who may do what with which folder: one answer for every face. RFC 4314 §2.1.

l lookup, r read, s seen, w other flags, i insert, p post, k create below, x delete the
folder, t flag as deleted, e expunge, a administer.

The owner holds all. A member of a shared account holds what the membership gives on
every folder; a FolderRight adds to that on one. One without user and group is for
anyone, where MAILHOST_SHARE_WITH_ANYONE allows it.
"""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.models import Account, Membership
from mailhost.mail.models import Folder, FolderRight
from mailhost.store import sql
from mailhost.store.errors import NoSuchFolder, NotPermitted
from mailhost.store.values import AccountInfo, FolderInfo

ALL = "lrswipkxtea"
READ = "lrs"
WRITE = "lrswipkxte"


OTHERS = """
    SELECT EXISTS (
        SELECT 1 FROM accounts_membership WHERE user_id = %s OR group_id IN
            (SELECT group_id FROM accounts_user_groups WHERE user_id = %s)
    ) OR EXISTS (
        SELECT 1 FROM mail_folderright WHERE user_id = %s OR group_id IN
            (SELECT group_id FROM accounts_user_groups WHERE user_id = %s)
    ) OR EXISTS (
        SELECT 1 FROM mail_folderright WHERE user_id IS NULL AND group_id IS NULL
    )
"""


def of_membership(membership: Membership) -> str:
    """Return the letters a membership gives on every folder."""
    rights = set()
    if membership.read:
        rights |= set(READ)
    if membership.write:
        rights |= set(WRITE)
    if membership.manage:
        rights |= set(ALL)
    return ordered(rights)


def ordered(rights: Iterable[str]) -> str:
    """Return each letter once, in the order of RFC 4314."""
    held = set(rights)
    return "".join(r for r in ALL if r in held)


def _mine(user_id: int) -> Q:
    return Q(user_id=user_id) | Q(group__user=user_id)


def _granted(user_id: int) -> Q:
    """Select the rows of FolderRight that are for this user."""
    found = _mine(user_id)
    if settings.MAILHOST_SHARE_WITH_ANYONE:
        found |= Q(user=None, group=None)
    return found & Q(folder__account__active=True)


def account_rights(user_id: int, account_id: int) -> str:
    """Return what the user may do in every folder of the account."""
    if Account.objects.filter(pk=account_id, owner_id=user_id).exists():
        return ALL
    held: set[str] = set()
    for membership in Membership.objects.filter(
        _mine(user_id), account_id=account_id, account__active=True
    ):
        held |= set(of_membership(membership))
    return ordered(held)


def rights_by_folder(user_id: int, account_id: int) -> dict[int, str]:
    """Return {folder: letters} of what FolderRights add; one query for an account."""
    found: dict[int, str] = {}
    for folder_id, letters in FolderRight.objects.filter(
        _granted(user_id), folder__account_id=account_id
    ).values_list("folder_id", "rights"):
        found[folder_id] = found.get(folder_id, "") + letters
    return found


def rights(user_id: int, folder_id: int) -> str:
    """Return the letters the user holds on the folder; empty for none, or no folder."""
    account_id = (
        Folder.objects.filter(pk=folder_id).values_list("account_id", flat=True).first()
    )
    if account_id is None:
        return ""
    held = set(account_rights(user_id, account_id))
    if held != set(ALL):
        for extra in FolderRight.objects.filter(
            _granted(user_id), folder_id=folder_id
        ).values_list("rights", flat=True):
            held |= set(extra)
    return ordered(held)


def rights_to_make(user_id: int, account_id: int, name: str) -> str:
    """Return the rights on the nearest folder above `name`, or else on the account.

    RFC 4314 §4: CREATE and RENAME need "k" there.
    """
    levels = name.split("/")
    above = ["/".join(levels[:n]) for n in range(1, len(levels))]
    nearest = (
        Folder.objects.filter(account_id=account_id, name__in=above)
        .order_by("-name")  # each is the beginning of the next
        .values_list("pk", flat=True)
        .first()
    )
    if nearest is None:
        return account_rights(user_id, account_id)
    return rights(user_id, nearest)


def inherit(account_id: int, parent: str, folder_id: int) -> None:
    """Give a new folder the rights of the one above it. RFC 4314 §4, CREATE."""
    if not parent:
        return
    rows = list(
        FolderRight.objects.filter(folder__account_id=account_id, folder__name=parent)
    )
    for row in rows:
        row.pk, row.folder_id = None, folder_id
    FolderRight.objects.bulk_create(rows)


def require(user_id: int, folder_id: int, needed: str) -> None:
    """Raise NoSuchFolder for one the user cannot see, NotPermitted for one they can."""
    require_held(rights(user_id, folder_id), needed)


def require_held(held: str, needed: str) -> None:
    """Raise unless all of `needed` is held; without "l", as if there were no folder.

    RFC 4314 §6.
    """
    if set(needed) <= set(held):
        return
    if "l" not in held:
        raise NoSuchFolder("No such folder")
    raise NotPermitted("You may not do this here")


def require_on(folder: FolderInfo, needed: str) -> None:
    """Do as `require_held`, for a folder that was looked up for its user."""
    require_held(folder.rights, needed)


def accounts_of(user_id: int) -> list[AccountInfo]:
    """Return the accounts the user owns or is a member of: their own, then by name."""
    visible = Account.objects.filter(
        Q(owner_id=user_id)
        | Q(memberships__in=Membership.objects.filter(_mine(user_id)))
    )
    return [one for one in _described(user_id, visible) if one.rights]


def sees_others(user_id: int) -> bool:
    """Tell whether anything of another account may be shared with the user.

    One query past the ORM, for what is asked often and is mostly no.
    """
    return bool(sql.rows(OTHERS, [user_id] * 4)[0][0])


def accounts_seen_by(user_id: int) -> list[AccountInfo]:
    """Return the accounts in which the user has any right; order as above.

    `rights` are those on every folder: empty where single folders are shared.
    """
    shared = FolderRight.objects.filter(_granted(user_id))
    return _described(
        user_id,
        Account.objects.filter(
            Q(owner_id=user_id)
            | Q(memberships__in=Membership.objects.filter(_mine(user_id)))
            | Q(pk__in=shared.values("folder__account_id"))
        ),
    )


def _described(user_id: int, accounts: QuerySet[Account]) -> list[AccountInfo]:
    held: dict[int, str] = {}
    for membership in Membership.objects.filter(
        _mine(user_id), account__active=True
    ).distinct():
        letters = held.get(membership.account_id, "") + of_membership(membership)
        held[membership.account_id] = ordered(letters)
    found = [
        AccountInfo(
            account.pk,
            account.kind,
            account.name,
            account.owner_id,
            ALL if account.owner_id == user_id else held.get(account.pk, ""),
        )
        for account in accounts.filter(active=True).distinct()
    ]
    return sorted(found, key=lambda a: (a.owner_id != user_id, a.name, a.id))
