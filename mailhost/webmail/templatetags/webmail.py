"""What the templates need: icons, short dates, initials, text with links."""

import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import escape, format_html, format_html_join, json_script
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext, pgettext_lazy

from mailhost.mime.addresses import Address
from mailhost.webmail import hits, quoting, snoozes
from mailhost.webmail.texts import TEXTS

register = template.Library()

URL = re.compile(r"https?://[^\s<>\"'\x00-\x1f]{1,2000}")
# Punctuation behind an address in a sentence.
TAIL = ".,;:!?)]}"
QUOTE = re.compile(r">[> ]*")
HUES = 12
DAYS_OF_A_WEEK = 7
MOST_NAMES = 3
# Icons that point the way one reads: mirrored from right to left.
TURNING = frozenset(("back", "reply", "replyall", "forward", "send", "out"))
# What the store calls them. mailhost/store/folders.py
FOLDERS = {
    "INBOX": pgettext_lazy("folder", "Inbox"),
    "Drafts": pgettext_lazy("folder", "Drafts"),
    "Sent": pgettext_lazy("folder", "Sent"),
    "Archive": pgettext_lazy("folder", "Archive"),
    "Junk": pgettext_lazy("folder", "Junk"),
    "Trash": pgettext_lazy("folder", "Trash"),
}


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Draw an icon; what it means stands beside it in words."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        " turns" if name in TURNING else "",
        static("webmail/icons.svg"),
        name,
    )


@register.simple_tag
def texts() -> SafeString:
    """Draw the block that scripts read what they say from: data, never executed."""
    return json_script({name: str(text) for name, text in TEXTS.items()}, "texts")


@register.filter
def recipients(people: Mapping[str, Sequence[Address]]) -> str:
    """Return the names of the first who got a letter."""
    to = people["to"]
    names = ", ".join(person.name or person.addr for person in to[:MOST_NAMES])
    return f"{names} …" if len(to) > MOST_NAMES or people["cc"] else names


@register.simple_tag
def snooze_offers() -> list[snoozes.Offer]:
    """Return the times until which mail can be put away by one press."""
    return snoozes.offers()


@register.filter
def message_url(where: Any) -> str:
    """Return where a message is read."""
    return f"{_list_url(where.account_id, where.folder_id)}{where.uid}/"


@lru_cache(1000)
def _list_url(account_id: int, folder_id: int) -> str:
    return reverse("webmail:folder", args=[account_id, folder_id])


@register.filter
def selecting(subject: str) -> str:
    """Return what a row's box is called."""
    return _("Select %(subject)s") % {"subject": subject}


@register.filter
def messages(count: int) -> str:
    """Return how many messages a conversation has, in words."""
    return ngettext("%(n)s message", "%(n)s messages", count) % {"n": count}


@register.filter
def iso(when: datetime) -> str:
    """Return a moment for programs."""
    return timezone.localtime(when).isoformat(timespec="seconds")


@register.filter
def short_time(when: datetime) -> str:
    """Return the time today, the day this year, else the date."""
    local, now = timezone.localtime(when), timezone.localtime()
    days = (now.date() - local.date()).days
    if days == 0:
        wanted = pgettext("a time of today; letters of Django's date filter", "H:i")
    elif 0 < days < DAYS_OF_A_WEEK:
        wanted = pgettext("a time of this week; as above", "D H:i")
    elif local.year == now.year:
        wanted = pgettext("a day of this year; as above", "j M")
    else:
        wanted = pgettext("a day of another year; as above", "j M Y")
    return formats.date_format(local, wanted)


@register.filter
def initial(name: str) -> str:
    """Return the letter that stands for a person."""
    name = name.removeprefix(_("To: %s") % "")
    return next((c.upper() for c in name if c.isalnum()), "?")


@register.filter
def hue(name: str) -> int:
    """Return one of HUES colours, always the same for a person."""
    return zlib.crc32(name.casefold().encode("utf-8", "replace")) % HUES


@register.filter
def leaf(name: str) -> str:
    """Return the last level of a folder's name; in their words for those all have."""
    return str(FOLDERS[name]) if name in FOLDERS else name.rpartition("/")[2]


@register.filter
def level(name: str) -> int:
    """Return how deep a folder lies, at most 4."""
    return min(name.count("/"), 4)


@register.filter
def role_icon(folder: object) -> str:
    """Return the icon of a folder."""
    role = getattr(folder, "role", "")
    if getattr(folder, "name", "") == "INBOX":
        return "inbox"
    known = {"inbox", "drafts", "sent", "archive", "junk", "trash", "snoozed"}
    return role if role in known else "folder"


@register.filter
def folder_url(folder: Any) -> str:
    """Return where a folder's list is."""
    return _list_url(folder.account_id, folder.id)


@register.filter
def marked(text: str, words: Sequence[str]) -> SafeString:
    """Return text as HTML with these words set off, as a search found them."""
    if not words:
        return escape(text)
    wanted = "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True) if w)
    pieces = re.split(f"({wanted})", text, flags=re.IGNORECASE) if wanted else [text]
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<mark>{}</mark>", piece) if n % 2 else piece,)
            for n, piece in enumerate(pieces)
        ),
    )


@register.filter
def letter_text(text: str, words: Sequence[str] = ()) -> SafeString:
    """Return text as HTML: links can be followed, quotes are set apart by level.

    `words` are set off, as a search found them.
    """
    shown, quoted = quoting.folded(text)
    if not quoted:
        return mark_safe(hits.mark(_blocks(shown), words))  # noqa: S308 - every piece was escaped
    return format_html(
        '{}<details class="quote"><summary title="{}">•••</summary>{}</details>',
        mark_safe(hits.mark(_blocks(shown), words)),  # noqa: S308 - as above
        _("Quoted text"),
        mark_safe(hits.mark(_blocks(quoted), words)),  # noqa: S308 - as above
    )


def _blocks(text: str) -> str:
    blocks: list[str] = []
    lines: list[str] = []
    depth = 0
    for line in text.strip("\n").split("\n"):
        mark = QUOTE.match(line)
        level_ = min(mark[0].count(">"), 5) if mark else 0
        if level_ != depth and lines:
            blocks.append(_block(lines, depth))
            lines = []
        depth = level_
        lines.append(_linked(line[mark.end() :] if mark else line))
    blocks.append(_block(lines, depth))
    return "".join(blocks)


def _block(lines: list[str], depth: int) -> str:
    text = "\n".join(lines)
    return f'<div class="text q{depth}">{text}\n</div>'


def _linked(line: str) -> str:
    pieces, position = [], 0
    for match in URL.finditer(line):
        url = match[0].rstrip(TAIL)
        pieces.append(escape(line[position : match.start()]))
        pieces.append(
            format_html(
                '<a href="{0}" target="_blank" rel="{1}">{0}</a>',
                url,
                "noopener noreferrer nofollow",
            )
        )
        position = match.start() + len(url)
    pieces.append(escape(line[position:]))
    return "".join(pieces)
