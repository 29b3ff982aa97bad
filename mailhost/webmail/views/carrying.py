"""Mail carried in and out: files uploaded in pieces, folders that are saved."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from mailhost.store.values import FolderInfo
from mailhost.webmail import addressbook, door, picking, zipping
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.models import Transfer
from mailhost.webmail.transfers import exports, uploads
from mailhost.webmail.views import page
from mailhost.webmail.views.parts import guarded

CARRY = "webmail/reader/carry.html"
LIST = "webmail/reader/transfers.html"


@require_safe
@signed_in
def show(request: Request) -> HttpResponse:
    """Show what can be brought in and taken along, and what is under way."""
    context = {
        "accounts": door.accounts(request.user),
        "takers": [
            one
            for one in door.accounts(request.user)
            if set(one.account.rights) >= uploads.NEEDED
        ],
        **_under_way(request),
        "piece": uploads.PIECE,
    }
    if request.htmx.target == "reader":
        return render(request, CARRY, context)
    inbox = page.inbox(request)
    if inbox is None:
        return redirect("webmail:home")
    return page.whole(request, inbox, reader=CARRY, pane="reader", **context)


@require_safe
@signed_in
def listed(request: Request) -> HttpResponse:
    """Show how far the files are."""
    return _list(request)


def _list(request: Request) -> HttpResponse:
    return render(request, LIST, _under_way(request))


def _under_way(request: Request) -> dict[str, Any]:
    found = uploads.of(request.user)
    return {"transfers": found, "busy": any(one.is_read for one in found)}


@require_POST
@signed_in
def begin(request: Request) -> HttpResponse:
    """Begin with a file: `name`, `size`, and the `account` and `folder` it is for."""
    chosen = door.account(request.user, page.number(request.POST.get("account")) or 0)
    if not set(chosen.rights) >= uploads.NEEDED:
        raise PermissionDenied
    size = page.number(request.POST.get("size")) or 0
    folder, name = request.POST.get("folder", "").strip(), request.POST.get("name", "")
    try:
        made = uploads.begin(request.user, chosen.id, folder, name, size)
    except uploads.NotTaken as error:
        return door.told(str(error), 409)
    return JsonResponse({"number": made.pk, "received": 0})


@require_POST
@signed_in
def piece(request: Request, number: int) -> HttpResponse:
    """Keep a piece of the file, which begins at ?at=; tell how much there is now."""
    transfer = door.own(Transfer.objects, request.user, number)
    at = page.number(request.GET.get("at"))
    length = page.number(request.META.get("CONTENT_LENGTH")) or 0
    if at is None or length > uploads.PIECE:
        return door.told(_("This is no piece of the file."), 409)
    kept = uploads.take(transfer, at, request.body)
    # 409 tells a browser that came back where to go on.
    told = {"received": transfer.received, "state": transfer.state}
    return JsonResponse(told, status=200 if kept else 409)


@require_POST
@signed_in
def end(request: Request, number: int) -> HttpResponse:
    """Have the file read, now that it is whole."""
    transfer = door.own(Transfer.objects, request.user, number)
    try:
        uploads.end(transfer)
    except uploads.NotTaken as error:
        return door.told(str(error), 409)
    return _list(request)


@require_POST
@signed_in
def cancel(request: Request, number: int) -> HttpResponse:
    """Call it off: what was stored before stays."""
    transfer = door.own(Transfer.objects, request.user, number)
    uploads.stop(transfer, Transfer.State.CANCELLED)
    return _list(request)


@require_safe
@signed_in
def folder(request: Request, account_id: int, folder_id: int) -> HttpResponseBase:
    """Give a folder away as an mbox; with ?below=1 as a zip with those below it."""
    chosen = door.folder(request.user, account_id, folder_id)
    name = chosen.name.rpartition("/")[2]
    if request.GET.get("below") != "1":
        return _given(request, exports.mbox(chosen), f"{name}.mbox", "mbox")
    below = [
        one
        for one in _readable(request, account_id)
        if one.id == chosen.id or one.name.startswith(f"{chosen.name}/")
    ]
    return _given(request, exports.mboxes_zip(below), f"{name}.zip", "zip")


@require_safe
@signed_in
def account(request: Request, account_id: int) -> HttpResponseBase:
    """Give all mail of an account away, and with one's own the people one knows."""
    chosen = door.account(request.user, account_id)
    more = []
    if chosen.owner_id == request.user.pk:
        more = [
            ("contacts.vcf", addressbook.given(request.user).encode("utf-8", "replace"))
        ]
    found = exports.mboxes_zip(_readable(request, account_id), more)
    name = f"{chosen.name} {timezone.localdate():%Y-%m-%d}.zip"
    return _given(request, found, name, "zip")


def _readable(request: Request, account_id: int) -> list[FolderInfo]:
    return [
        folder
        for one in door.accounts(request.user)
        if one.account.id == account_id
        for folder in one.folders
        if "r" in folder.rights
    ]


@require_POST
@signed_in
def messages(request: Request) -> HttpResponseBase:
    """Give the messages of the form away as a zip of .eml files."""
    found = picking.picked(request)
    if not any(one.uids for one in found):
        return door.told(_("Select messages first."), 409)
    name = f"{_('messages')} {timezone.localdate():%Y-%m-%d}.zip"
    return _given(request, exports.messages_zip(found), name, "zip")


def _given(
    request: Request, octets: Iterator[bytes], name: str, kind: str
) -> HttpResponseBase:
    gathered = _together(octets)
    is_async = isinstance(request, ASGIRequest)
    response = StreamingHttpResponse(
        zipping.awaited(gathered) if is_async else gathered,
        content_type=f"application/{kind}",
    )
    return guarded(response, name.replace("/", "_"), inline=False)


def _together(octets: Iterator[bytes]) -> Iterator[bytes]:
    """Yield larger pieces: each costs the server a hop between threads."""
    pieces, size = list[bytes](), 0
    for one in octets:
        pieces.append(one)
        size += len(one)
        if size > exports.TOGETHER:
            yield b"".join(pieces)
            pieces, size = [], 0
    yield b"".join(pieces)
