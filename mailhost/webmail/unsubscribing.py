"""Leave a mailing list: by one request of ours (RFC 8058), a page, or a letter.

What the header says was said by a stranger: only https is asked, through
`mailhost.fetch`, and only when the reader pressed the button.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from asgiref.sync import async_to_sync
from django.utils.translation import gettext as _

from mailhost import fetch
from mailhost.mime import headers

# RFC 2369 §2: URLs in angle brackets, comments between them are nobody's business.
URL = re.compile(r"<([^<>\s]{1,2000})>")
MOST_URLS = 10
BODY = b"List-Unsubscribe=One-Click"  # RFC 8058 §3.2
MOST_OCTETS, SECONDS = 64 * 1024, 15.0


class NotDone(Exception):
    """The list was not left; the text says why."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a list can be left; the best way it offers."""

    one_click: str = ""  # https
    page: str = ""  # https
    mail_to: str = ""
    subject: str = ""

    def __bool__(self) -> bool:
        """Whether there is a way."""
        return bool(self.one_click or self.page or self.mail_to)


def way_of(header: bytes) -> Way:
    """Return how the list of a message can be left, by its header block."""
    offered = headers.get(header, b"List-Unsubscribe") or b""
    urls = URL.findall(offered.decode("ascii", "replace"))[:MOST_URLS]
    web = next((u for u in urls if u[:8].lower() == "https://"), "")
    posts = headers.get(header, b"List-Unsubscribe-Post") or b""
    if web and posts.strip().lower() == BODY.lower():
        return Way(one_click=web)
    mail = next((u for u in urls if u[:7].lower() == "mailto:"), "")
    if mail:
        return _by_mail(mail)
    return Way(page=web) if web else Way()


def _by_mail(url: str) -> Way:
    try:
        parts = urlsplit(url)
        asked = {name.lower(): them for name, them in parse_qs(parts.query).items()}
    except ValueError:
        return Way()
    subject = asked.get("subject", ["unsubscribe"])[0]
    return Way(mail_to=unquote(parts.path)[:320], subject=subject[:200])


def leave(way: Way) -> None:
    """Ask the list's server, once. Raises NotDone."""
    if not way.one_click:
        raise NotDone(_("This list cannot be left by one click."))
    try:
        answer = async_to_sync(fetch.post)(
            way.one_click,
            BODY,
            content_type="application/x-www-form-urlencoded",
            most_octets=MOST_OCTETS,
            seconds=SECONDS,
        )
    except fetch.Failed as error:
        raise NotDone(_("The list's server did not answer: %s.") % error) from None
    if not 200 <= answer.status < 300:
        raise NotDone(_("The list's server refused (%d).") % answer.status)
