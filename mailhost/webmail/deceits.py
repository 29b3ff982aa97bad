"""What may deceive a reader: links that lie, senders who look like somebody else.

Pure functions; what is said is for people.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from html import escape, unescape
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from mailhost.mime.addresses import Address

LINK = re.compile(r'<a\b([^>]*)\bhref="([^"]*)"([^>]*)>(.*?)</a>', re.DOTALL)
TAG = re.compile(r"<[^>]*>")
# A text that a reader takes for the place a link leads to.
PLACE = re.compile(
    r"\s*(?:https?://)?(?:www\.)?((?:[\w-]+\.)+[a-z]{2,24})(?:[:/?#]\S*)?\s*\Z",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"[\w.+-]+@((?:[\w-]+\.)+[\w-]{2,})")
# What looks alike, for the comparison of names. UTS #39, the part that mail abuses.
ALIKE = str.maketrans("аеорсхуіјһԁɡӏαοινρτκ0135", "aeopcxyijhdglaoivptkoles")
PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))


def mark_links(html: str) -> str:
    """Return sanitised HTML where links that lie say where they lead."""

    def looked(match: "re.Match[str]") -> str:
        said = PLACE.match(unescape(TAG.sub("", match[4])))
        host = _host(unescape(match[2]))
        if said is None or not host or _same_place(said[1].lower(), host):
            return match[0]
        text = escape(_("leads to %s") % host)
        return f'{match[0]}<b class="deceit"> ⚠ {text}</b>'

    return LINK.sub(looked, html)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower().removeprefix("www.")
    except ValueError:
        return ""


def _same_place(said: str, host: str) -> bool:
    """Tell whether one of two hosts is the other, or inside of it."""
    return said == host or host.endswith(f".{said}") or said.endswith(f".{host}")


def warnings(
    author: Address, reply_to: Sequence[Address], known: Iterable[str]
) -> list[str]:
    """Return what a reader should know of the sender; `known` are trusted domains."""
    return list(_warnings(author, reply_to, {domain.lower() for domain in known}))


def _warnings(
    author: Address, reply_to: Sequence[Address], known: set[str]
) -> Iterator[str]:
    domain = author.host.lower()
    named = ADDRESS.search(author.name)
    if named and not _same_place(named[1].lower(), domain):
        yield _("The name says %(said)s, but the address is %(address)s.") % {
            "said": named[0],
            "address": author.addr,
        }
    shown = _unicode(domain)
    if any(_is_mixed(label) for label in shown.split(".")):
        yield _("The address %s mixes letters of different alphabets.") % shown
    elif like := next((d for d in known if _looks_like(shown, d)), None):
        yield _("%(domain)s looks like %(like)s, but is not it.") % {
            "domain": shown,
            "like": like,
        }
    if any(_is_mixed(word) for word in author.name.split()):
        yield _("The sender's name mixes letters of different alphabets.")
    hosts = {person.host.lower() for person in reply_to}
    if hosts and not any(_same_place(host, domain) for host in hosts):
        yield _("Answers go to another address: %s.") % reply_to[0].addr


def _unicode(domain: str) -> str:
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "HEBREW", "ARABIC")


def _is_mixed(text: str) -> bool:
    """Tell whether letters of two alphabets stand in one word."""
    found = set()
    for character in text[:200]:
        if character.isalpha():
            name = unicodedata.name(character, "")
            found |= {script for script in SCRIPTS if name.startswith(script)}
    return len(found) > 1


def _looks_like(domain: str, known: str) -> bool:
    return domain != known and skeleton(domain) == skeleton(known)


def skeleton(text: str) -> str:
    """Return a text in which what looks alike is the same."""
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = plain.translate(ALIKE)
    for pair, single in PAIRS:
        plain = plain.replace(pair, single)
    return plain.replace("l", "i")
