"""Parts of a message by themselves: its HTML in a sandbox, files, its source.

Whatever a part says it is, only raster pictures are shown; all else is downloaded,
and every response here carries a policy under which nothing runs.
"""

from urllib.parse import quote

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from mailhost.mime.part import Part
from mailhost.store import read
from mailhost.store.gate import gate
from mailhost.webmail import door, htmlquotes, letters, policy, sanitise
from mailhost.webmail.door import Request, signed_in

# Types that a download may keep; the others become octets.
HARMLESS = frozenset(
    ("application/pdf", "application/zip", "text/plain", "text/csv", "text/calendar")
)


def _part(
    request: Request, account_id: int, folder_id: int, uid: int, section: str
) -> tuple[int, Part, Part]:
    """Return content id, part tree and part, or raise Http404."""
    door.message(request.user, account_id, folder_id, uid)
    content_id, root = letters.structure(folder_id, uid)
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
    content_id, root, part = _part(request, account_id, folder_id, uid, section)
    if (part.type, part.subtype) != ("text", "html"):
        raise Http404
    place = (account_id, folder_id, uid)
    pictures = {
        one.content_id: reverse(
            "webmail:part", args=[*place, one.section or "1", letters.file_name(one)]
        )
        for one in root.walk()
        if one.content_id and is_picture(one)
    }
    remote = request.GET.get("images") == "1"
    shown = sanitise.clean(letters.text(content_id, part), pictures, remote=remote)
    body = htmlquotes.fold(shown.html)
    context = {"shown": shown, "body": body}
    response = render(request, "webmail/reader/html.html", context)
    message = reverse("webmail:message", args=place)
    parts_url = request.build_absolute_uri(f"{message}part/")
    response["Content-Security-Policy"] = policy.frame(parts_url, remote=remote)
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "no-referrer"
    return response


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
    """Give a part away: a picture to be shown, anything else to be saved."""
    content_id, _, part = _part(request, account_id, folder_id, uid, section)
    kind = f"{part.type}/{part.subtype}"
    shows = is_picture(part)
    if not shows and kind not in HARMLESS:
        kind = "application/octet-stream"
    return _file(
        letters.octets(content_id, part), kind, letters.file_name(part), inline=shows
    )


@require_safe
@signed_in
def source(request: Request, account_id: int, folder_id: int, uid: int) -> HttpResponse:
    """Give the message away as it arrived."""
    _, listed = door.message(request.user, account_id, folder_id, uid)
    octets = gate.read_sync(read.octets, listed.content_id)
    return _file(octets, "application/octet-stream", f"message-{uid}.eml", inline=False)


def is_picture(part: Part) -> bool:
    """Tell whether a part is a picture in which nothing runs: no SVG."""
    return part.type == "image" and part.subtype in letters.PICTURES


def _file(octets: bytes, kind: str, name: str, *, inline: bool) -> HttpResponse:
    response = HttpResponse(octets, content_type=kind)
    how = "inline" if inline else "attachment"
    ascii_name = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in name)
    response["Content-Disposition"] = (
        f"{how}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    response["Content-Security-Policy"] = policy.PART
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
