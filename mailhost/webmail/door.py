"""What a user may see: one door per object, the same 404 for absent and forbidden."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Manager, Model
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from accounts import addresses
from accounts.models import User
from mailhost.store import errors, folders, read, rights
from mailhost.store.gate import gate
from mailhost.store.read import Listed
from mailhost.store.values import AccountInfo, FolderInfo
from mailhost.webmail import refusals


class Request(HttpRequest):
    """A request of somebody who is logged in."""

    user: User
    htmx: HtmxDetails


@dataclass(frozen=True, slots=True)
class AccountFolders:
    """An account and its folders, as the folder pane shows them."""

    account: AccountInfo
    folders: tuple[FolderInfo, ...]


KEPT = "kept_for_mail"  # on the user of a request, who is made anew for the next
T = TypeVar("T")


def once(user: User, key: Hashable, read_: Callable[[], T]) -> T:
    """Return what was read for this user before in the same request, or read it."""
    kept: dict[Hashable, Any] = user.__dict__.setdefault(KEPT, {})
    if key not in kept:
        kept[key] = read_()
    found: T = kept[key]
    return found


def forget(user: User) -> None:
    """Read anew: this request changed what it read."""
    user.__dict__.pop(KEPT, None)


def accounts(user: User) -> list[AccountFolders]:
    """Return the accounts a user may see, their own first."""
    return once(user, "accounts", lambda: gate.read_sync(_accounts, user.pk))


def own_addresses(user: User) -> list[str]:
    """Return the addresses a user may write as, their login first."""
    return once(
        user, "addresses", lambda: gate.read_sync(addresses.addresses_of, user.pk)
    )


def _accounts(user_id: int) -> list[AccountFolders]:
    """Return accounts with the folders one sees of them; single ones may be shared."""
    found = []
    for account in rights.accounts_seen_by(user_id):
        seen = folders.list_folders(account.id, user_id)
        if not account.rights:
            # What they are for is the other's business. RFC 6154 §2
            seen = [replace(one, role="") for one in seen]
        if seen or account.rights:
            found.append(AccountFolders(account, tuple(in_order(seen))))
    return found


def only(user: User, account_id: int) -> tuple[int, ...] | None:
    """Return the folders one may look into beside an open one; None for all of them."""
    for one in accounts(user):
        if one.account.id == account_id and "r" not in one.account.rights:
            return tuple(f.id for f in one.folders if "r" in f.rights)
    return None


ORDER = ("inbox", "snoozed", "drafts", "sent", "archive", "junk", "trash")


def in_order(found: list[FolderInfo]) -> list[FolderInfo]:
    """Sort folders as people look for them: those with a role, then by name."""

    def key(folder: FolderInfo) -> tuple[int, str]:
        role = "inbox" if folder.name == "INBOX" else folder.role
        return (ORDER.index(role) if role in ORDER else len(ORDER), folder.name)

    return sorted(found, key=key)


def account(user: User, account_id: int) -> AccountInfo:
    """Return an account the user may see, or raise Http404."""
    for found in accounts(user):
        if found.account.id == account_id:
            return found.account
    raise Http404


def folder(
    user: User, account_id: int, folder_id: int, needed: str = "r"
) -> FolderInfo:
    """Return a folder the user may read, or raise Http404.

    PermissionDenied where the user may read it but lacks a right of `needed`.
    """
    # Rights on an account end with it: an inactive one is not among the user's.
    account(user, account_id)
    found = _folder(user, account_id, folder_id)
    if "r" not in found.rights:
        raise Http404
    if not set(needed) <= set(found.rights):
        raise PermissionDenied
    return found


def _folder(user: User, account_id: int, folder_id: int) -> FolderInfo:
    for one in accounts(user):
        for found in one.folders:
            if (one.account.id, found.id) == (account_id, folder_id):
                return found
    try:  # one that this request has made
        return gate.read_sync(folders.folder_by_id, account_id, folder_id, user.pk)
    except errors.NoSuchFolder:
        raise Http404 from None


def folder_named(user: User, text: str, needed: str = "r") -> FolderInfo:
    """Do as `folder`, for account.folder as forms carry it."""
    numbers = text.split(".")
    if not all(n.isascii() and n.isdigit() and len(n) <= 18 for n in numbers):
        raise Http404
    if len(numbers) != 2:
        raise Http404
    return folder(user, int(numbers[0]), int(numbers[1]), needed)


def message(
    user: User, account_id: int, folder_id: int, uid: int
) -> tuple[FolderInfo, Listed]:
    """Return a message the user may read and its folder, or raise Http404."""
    where = folder(user, account_id, folder_id)
    try:
        return where, gate.read_sync(read.listed, where.id, uid)
    except errors.NoSuchMessage:
        raise Http404 from None


Row = TypeVar("Row", bound=Model)


def own(rows: Manager[Row], user: User, number: int) -> Row:
    """Return one of the user's own rows of the webmail, or raise Http404."""
    found = rows.filter(pk=number, user=user).first()
    if found is None:
        raise Http404
    return found


View = Callable[..., HttpResponseBase]


def signed_in(view: View) -> View:
    """Decorate a view: a login is needed; what the store refuses is told politely."""

    @wraps(view)
    def answered(
        request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except (errors.NoSuchFolder, errors.NoSuchMessage):
            raise Http404 from None
        except errors.StoreError as error:
            return told(refusals.in_words(error), 409)
        except PermissionDenied:
            return told(_("You may not do this here."), 403)
        # Mail is for one person's eyes, and one address gives pages and parts.
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("Vary", "HX-Request, HX-Target, Cookie")
        return response

    return login_required(answered)


def told(text: str, status: int) -> HttpResponse:
    """Return a refusal as plain text; the page shows it as a notice."""
    return HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)
