"""Access control lists: who was given which rights on a folder. RFC 4314 §3.

An identifier is a user's login, "$" and a group's name, or "anyone". What the owner
holds, and what a membership gives, can neither be granted nor taken on a folder: it is
`always`. The rest is a FolderRight. Negative rights are not supported.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from accounts.models import Account, Membership, User, normalise_email
from mailhost.mail.models import AccountState, FolderRight
from mailhost.store import rights
from mailhost.store.errors import BadIdentifier, RightsFixed, TooMany
from mailhost.store.state import note

ANYONE = "anyone"
GROUP = "$"
MOST_ENTRIES = 1_000  # of one folder


@dataclass(frozen=True, slots=True)
class Subject:
    """A user, a group, or, both None, anyone. `account_id`: the user's own."""

    user_id: int | None = None
    group_id: int | None = None
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class AclEntry:
    """One line of a list: letters of RFC 4314 §2.1; `always` of them cannot go."""

    identifier: str
    rights: str
    always: str = ""


def subject(asker_id: int, folder_id: int, identifier: str) -> Subject:
    """Return whom an identifier names. Raises BadIdentifier.

    A group is known to its members only: its name is the administrator's business.
    Whoever is on the folder's list can be named, to be taken off it.
    """
    listed = Q(folderright__folder=folder_id)
    if identifier.startswith("-"):
        raise BadIdentifier("Negative rights are not supported")
    if identifier == ANYONE:
        return Subject()
    if identifier.startswith(GROUP):
        known = Group.objects.filter(Q(user=asker_id) | listed, name=identifier[1:])
        if (group := known.values_list("pk", flat=True).first()) is not None:
            return Subject(group_id=group)
    else:
        people = User.objects.filter(
            Q(is_active=True) | listed, email=normalise_email(identifier)
        )
        found = people.values_list("pk", "account__pk").first()
        if found is not None:
            return Subject(user_id=found[0], account_id=found[1])
    raise BadIdentifier("There is no such user or group")


def access_list(account_id: int, folder_id: int) -> list[AclEntry]:
    """Return who holds what on the folder: the owner, then by identifier."""
    always = dict(_always(account_id))
    given: dict[str, str] = {}
    rows = FolderRight.objects.filter(folder_id=folder_id).values_list(
        "user__email", "group__name", "rights"
    )
    for email, group, letters in rows:
        given[_identifier(email, group)] = letters
    owner = next((i for i, letters in always.items() if letters == rights.ALL), "")
    return [
        AclEntry(
            one,
            rights.ordered(always.get(one, "") + given.get(one, "")),
            always.get(one, ""),
        )
        for one in sorted(always.keys() | given.keys(), key=lambda i: (i != owner, i))
    ]


def _identifier(email: str | None, group: str | None) -> str:
    if email is not None:
        return email
    return ANYONE if group is None else GROUP + group


def _always(account_id: int) -> Iterator[tuple[str, str]]:
    """Yield (identifier, rights) of the owner and of the members."""
    owner = (
        Account.objects.filter(pk=account_id, owner__isnull=False)
        .values_list("owner__email", flat=True)
        .first()
    )
    if owner is not None:
        yield owner, rights.ALL
    for one in Membership.objects.filter(account_id=account_id).select_related(
        "user", "group"
    ):
        email = one.user.email if one.user else None
        name = one.group.name if one.group else None
        yield _identifier(email, name), rights.of_membership(one)


def always_held(account_id: int, who: Subject) -> str:
    """Return what this user or group holds on every folder of the account, by itself.

    RFC 4314 §3.7: the required rights.
    """
    if who.user_id is not None and who.account_id == account_id:
        return rights.ALL
    if who.user_id is None and who.group_id is None:
        return ""
    members: dict[str, object] = {"user_id": who.user_id, "group_id": who.group_id}
    found = Membership.objects.filter(account_id=account_id, **members).first()
    return rights.of_membership(found) if found is not None else ""


def change_rights(
    account_id: int, folder_id: int, who: Subject, operation: str, letters: str
) -> None:
    """Give "+", take "-" or set "" rights on a folder. RFC 4314 §3.1.

    Part of a transaction that holds the account, and the subject's own, which is told
    too. Raises RightsFixed for what is always held, TooMany.
    """
    always = set(always_held(account_id, who))
    row = _rows(folder_id, who).first()
    old = set(row.rights if row is not None else "")
    asked = set(letters)
    if (operation == "-" and always & asked) or (operation == "" and always - asked):
        raise RightsFixed("These rights are not given folder by folder")
    new = {"+": old | asked, "-": old - asked, "": asked}[operation] - always
    if new == old:
        return
    if new - old and who == Subject() and not settings.MAILHOST_SHARE_WITH_ANYONE:
        raise BadIdentifier("Sharing with anyone is switched off here")
    if not new:
        _rows(folder_id, who).delete()
    elif row is not None:
        row.rights = rights.ordered(new)
        row.save(update_fields=["rights"])
    else:
        if FolderRight.objects.filter(folder_id=folder_id).count() >= MOST_ENTRIES:
            raise TooMany("The access control list is full")
        FolderRight.objects.create(
            folder_id=folder_id,
            user_id=who.user_id,
            group_id=who.group_id,
            rights=rights.ordered(new),
        )
    _tell(account_id, who)


def drop_rights(account_id: int, folder_id: int, who: Subject) -> None:
    """Remove what was given on a folder. RFC 4314 §3.2. Raises RightsFixed."""
    removed, _ = _rows(folder_id, who).delete()
    if not removed and always_held(account_id, who):
        raise RightsFixed("These rights are not given folder by folder")
    _tell(account_id, who)


def _rows(folder_id: int, who: Subject) -> QuerySet[FolderRight]:
    if who.user_id is None and who.group_id is None:
        return FolderRight.objects.filter(folder_id=folder_id, user=None, group=None)
    mine = Q(user_id=who.user_id) if who.user_id else Q(group_id=who.group_id)
    return FolderRight.objects.filter(mine, folder_id=folder_id)


def _tell(account_id: int, who: Subject) -> None:
    """Let the sessions of the account, and of who is named, look again."""
    for one in sorted({account_id, who.account_id or account_id}):
        note(one, "rights_modseq")


def membership_changed(account_id: int, user_id: int | None) -> None:
    """Let the sessions of the account, and of a member who is named, look again.

    In the transaction that changes who is a member. An account that goes is left alone.
    """
    told = Q(account=account_id) | Q(account__owner=user_id or 0)
    rows = AccountState.objects.filter(told).order_by("account_id")
    for one in rows.values_list("account_id", flat=True):
        note(one, "rights_modseq")
