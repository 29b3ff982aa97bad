"""Parts of a message by themselves: its HTML in a sandbox, files, its source.

Whatever a part says it is, only raster pictures, PDF and sound are shown; all else is
downloaded, and every response here carries a policy under which nothing runs.
"""

from typing import TypeVar
from urllib.parse import quote

from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from mailhost.mime.part import Part
from mailhost.store import read
from mailhost.store.gate import gate
from mailhost.webmail import (
    deceits,
    door,
    hits,
    htmlquotes,
    letters,
    pictures,
    policy,
    sanitise,
    signing,
    zipping,
)
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.letters import Where
from mailhost.webmail.searching import asking

# Types that a download may keep; the others become octets.
HARMLESS = frozenset(
    ("application/pdf", "application/zip", "text/plain", "text/csv", "text/calendar")
)
R = TypeVar("R", bound=HttpResponseBase)
MOST_SOURCE = 2_000_000  # octets that are shown


def part_of(request: Request, where: Where, section: str) -> tuple[int, Part, Part]:
    """Return content id, part tree and part, or raise Http404."""
    door.message(request.user, *where)
    content_id, root = letters.structure(where.folder_id, where.uid)
    part = root.find(section)
    if part is None or part.type == "multipart":
        raise Http404
    return content_id, root, part


@require_safe
@xframe_options_sameorigin
@signed_in
def html(
    request: Request, account_id: int, folder_id: int, uid: int, section: str
) -> HttpResponse:
    """Show an HTML part, sanitised, as a document; ?images=1 asks for all pictures."""
    where = Where(account_id, folder_id, uid)
    content_id, root, part = part_of(request, where, section)
    if (part.type, part.subtype) != ("text", "html"):
        raise Http404
    user = request.user
    inside = {
        one.content_id: reverse(
            "webmail:inline",
            args=[signing.token(user, signing.PARTS, *where, one.section or "1")],
        )
        for one in root.walk()
        if one.content_id and is_picture(one)
    }
    remote = request.GET.get("images") == "1"
    shown = sanitise.clean(
        letters.text(content_id, part),
        inside,
        (lambda url: pictures.url_for(user, url)) if remote else None,
    )
    body = deceits.mark_links(htmlquotes.fold(shown.html))
    body = hits.mark(body, asking.words(request.GET.get("q", "")))
    context = {"shown": shown, "body": body}
    response = render(request, "webmail/reader/html.html", context)
    ours = [request.build_absolute_uri("/inline/")]
    if remote:
        ours.append(request.build_absolute_uri("/picture/"))
    response["Content-Security-Policy"] = policy.frame(*ours)
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_safe
@signed_in
def inline(request: Request, token: str) -> HttpResponse:
    """Show a picture of a message to the one its URL was made for."""
    *place, section = signing.read(request.user, signing.PARTS, token)
    content_id, _, part = part_of(request, Where(*place), section)
    if not is_picture(part):
        raise Http404
    octets = letters.octets(content_id, part)
    return given(octets, f"image/{part.subtype}", letters.file_name(part), inline=True)


@require_safe
@signed_in
def picture(request: Request, token: str) -> HttpResponse:
    """Show a picture from elsewhere, which we fetch."""
    octets, kind = pictures.fetched(request.user, token)
    return given(octets, kind, "picture", inline=True)


@require_safe
@signed_in
def download(
    request: Request,
    account_id: int,
    folder_id: int,
    uid: int,
    section: str,
    name: str,  # noqa: ARG001 - what browsers save it as
) -> HttpResponse:
    """Give a part away: a picture to be shown, anything else to be saved.

    ?show=1 shows PDF and sound in the browser as well.
    """
    content_id, _, part = part_of(request, Where(account_id, folder_id, uid), section)
    kind = f"{part.type}/{part.subtype}"
    asked = request.GET.get("show") == "1"
    shows = is_picture(part) or (asked and is_shown(part))
    if not shows and kind not in HARMLESS:
        kind = "application/octet-stream"
    octets = letters.octets(content_id, part)
    response = given(octets, kind, letters.file_name(part), inline=shows)
    if shows and kind == "application/pdf":
        response["Content-Security-Policy"] = policy.PDF
    return response


@require_safe
@signed_in
def source(request: Request, account_id: int, folder_id: int, uid: int) -> HttpResponse:
    """Give the message away as it arrived; ?show=1 as text, ?show=head its header."""
    _, listed = door.message(request.user, account_id, folder_id, uid)
    show = request.GET.get("show")
    if show == "head":
        ((header,),) = gate.read_sync(
            read.contents, folder_id, [uid], ("header",)
        ).values()
        return given(header, "text/plain; charset=utf-8", "header.txt", inline=True)
    if show == "1":
        octets = gate.read_sync(read.octet_range, listed.content_id, 0, MOST_SOURCE)
        return given(octets, "text/plain; charset=utf-8", "source.txt", inline=True)
    octets = gate.read_sync(read.octets, listed.content_id)
    return given(octets, "application/octet-stream", f"message-{uid}.eml", inline=False)


@require_safe
@signed_in
def archive(
    request: Request, account_id: int, folder_id: int, uid: int
) -> HttpResponseBase:
    """Give all attachments of a message away as one zip."""
    door.message(request.user, account_id, folder_id, uid)
    content_id, root = letters.structure(folder_id, uid)
    files = letters.files(root)
    if not files:
        raise Http404
    chunks = zipping.chunks(content_id, root, files)
    is_async = isinstance(request, ASGIRequest)
    response = StreamingHttpResponse(
        zipping.awaited(chunks) if is_async else chunks, content_type="application/zip"
    )
    return guarded(response, f"attachments-{uid}.zip", inline=False)


def is_picture(part: Part) -> bool:
    """Tell whether a part is a picture in which nothing runs: no SVG."""
    return part.type == "image" and part.subtype in letters.PICTURES


def is_shown(part: Part) -> bool:
    """Tell whether browsers show a part by themselves: PDF and sound."""
    kind = (part.type, part.subtype)
    return kind == ("application", "pdf") or (
        part.type == "audio" and part.subtype in letters.SOUNDS
    )


def given(octets: bytes, kind: str, name: str, *, inline: bool) -> HttpResponse:
    """Return octets as a response in which nothing runs."""
    return guarded(HttpResponse(octets, content_type=kind), name, inline=inline)


def guarded(response: R, name: str, *, inline: bool) -> R:
    """Return the response with a name to save it under, and a policy."""
    how = "inline" if inline else "attachment"
    ascii_name = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in name)
    response.headers["Content-Disposition"] = (
        f"{how}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    response.headers["Content-Security-Policy"] = policy.PART
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
