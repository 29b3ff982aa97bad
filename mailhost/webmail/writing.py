"""The HTML of a letter that is written here: cleaned, its pictures made parts of it.

The editor shows pictures of a draft by URLs of ours and new ones as data:; a letter has
them as parts, named by Content-ID. What a browser sends is cleaned like a stranger's.
"""

import binascii
import re
import secrets
from base64 import b64decode
from dataclasses import dataclass
from html import escape

from django.http import Http404
from django.urls import reverse

from accounts.models import User
from mailhost.mime.build import Attachment
from mailhost.mime.part import Part
from mailhost.webmail import door, letters, pictures, sanitise, signing
from mailhost.webmail.letters import Where

OURS = re.compile(r'src="(/inline/([^"/]+)/)"')
DATA = re.compile(r'src="(data:image/[a-z]+;base64,([A-Za-z0-9+/=\s]+))"')
MOST_PICTURES = 50


@dataclass(frozen=True, slots=True)
class Html:
    """The HTML of a letter, and the pictures inside."""

    text: str
    pictures: list[Attachment]


def cleaned(user: User, html: str) -> Html:
    """Return what is sent of what the editor holds; raises Http404 for forged URLs."""
    # Relative URLs go in cleaning, but for those that stand for a part.
    kept = {f"{number}@kept": found[1] for number, found in _ours(html)}
    for name, url in kept.items():
        html = html.replace(f'src="{url}"', f'src="cid:{name}"')
    shown = sanitise.clean(html, kept).html
    parts: list[Attachment] = []

    def ours(match: "re.Match[str]") -> str:
        *place, section = signing.read(user, signing.PARTS, match[2])
        return _named(parts, *_part(user, Where(*place), section))

    def data(match: "re.Match[str]") -> str:
        try:
            octets = b64decode(match[2])
        except (binascii.Error, ValueError):
            return 'src=""'
        kind = pictures.kind_of(octets)
        return _named(parts, octets, kind) if kind else 'src=""'

    return Html(DATA.sub(data, OURS.sub(ours, shown)), parts)


def _ours(html: str) -> list[tuple[int, "re.Match[str]"]]:
    return list(enumerate(OURS.finditer(html)))[:MOST_PICTURES]


def _part(user: User, where: Where, section: str) -> tuple[bytes, str]:
    door.message(user, *where)
    content_id, root = letters.structure(where.folder_id, where.uid)
    part = root.find(section)
    if part is None or part.type != "image":
        raise Http404
    octets = letters.octets(content_id, part)
    return octets, pictures.kind_of(octets) or "application/octet-stream"


def _named(parts: list[Attachment], octets: bytes, kind: str) -> str:
    """Add a picture; return the attribute that shows it."""
    name = f"{secrets.token_hex(8)}@inline"
    extension = kind.partition("/")[2]
    parts.append(Attachment(f"picture.{extension}", kind, octets, name, inline=True))
    return f'src="cid:{name}"'


def editable(user: User, where: Where, content_id: int, root: Part) -> str:
    """Return the HTML of a draft for the editor; empty where it has none."""
    found = next((b for b in letters.bodies(content_id, root) if b.is_html), None)
    part = root.find(found.section) if found else None
    if part is None:
        return ""
    inside = {
        one.content_id: reverse(
            "webmail:inline",
            args=[signing.token(user, signing.PARTS, *where, one.section or "1")],
        )
        for one in root.walk()
        if one.content_id and one.type == "image"
    }
    return sanitise.clean(letters.text(content_id, part), inside).html


def of_text(text: str) -> str:
    """Return plain text as HTML for the editor: quotes stay quotes."""
    lines = [f"<div>{escape(line) or '<br>'}</div>" for line in text.split("\n")]
    return "".join(lines)
