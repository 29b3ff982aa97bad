"""Quotes without a mark: a header that stands in the text, as Outlook writes it.

    From: Carl <carl@far.test>
    Sent: Monday, 1 June 2026 10:00
    To: Alice
    Subject: Lunch

In the languages that programs write it in. Everything behind it is quoted. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from html import unescape

from mailhost.webmail.sanitise import VOID


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FROM = _words("from von de da van från fra od от lähettäjä من 发件人 差出人")
SENT = _words("""
    sent date gesendet datum envoyé enviado fecha data inviato verzonden skickat sendt
    wysłano отправлено lähetetty التاريخ 发送时间 送信日時
""") | {"enviado el", "enviada em", "date et heure", "تم الإرسال"}
SUBJECT = _words("""
    subject betreff objet asunto assunto oggetto onderwerp ämne emne temat тема aihe
    الموضوع 主题 件名
""")
LABEL = re.compile(r"[*\s]*([^\W\d_][^:：*]{0,20}?)[*\s]*[:：]")
RULE = re.compile(r"\s*(?:_{10,}|-{3,}\s?[^\W\d_][^-]{3,40}\s?-{3,})\s*\Z")
NEAR = 6  # lines with words in which the header is whole
LONGEST = 200  # characters of a line of HTML; a label is at its beginning
MOST = 20_000  # lines that are looked at


def start(lines: Sequence[str]) -> int | None:
    """Return the line where such a header begins, with a rule above it."""
    for n, line in enumerate(lines[:MOST]):
        if _label(line) in FROM and _is_header(lines[n + 1 : n + 20]):
            above = n
            while above and not lines[above - 1].strip():
                above -= 1
            return above - 1 if above and RULE.match(lines[above - 1]) else n
    return None


def _label(line: str) -> str:
    match = LABEL.match(line[:80])
    return match[1].strip().casefold() if match else ""


def _is_header(lines: Sequence[str]) -> bool:
    near = [_label(line) for line in lines if line.strip()][:NEAR]
    return any(one in SENT for one in near) and any(one in SUBJECT for one in near)


TOKEN = re.compile(r"<(/?)([a-zA-Z0-9]+)[^>]*>|([^<]+)")
BLOCKS = _words("p div br tr li h1 h2 h3 h4 h5 h6 hr table blockquote pre")
# Nothing but their own children may stand in them.
STRICT = _words("table tbody thead tfoot tr ul ol dl colgroup")


def spans(html: str) -> list[tuple[int, int]]:
    """Return what is quoted so, as balanced pieces of balanced HTML; [] for none."""
    at = _start_of(html)
    return [] if at is None else list(_pieces(html, at))


def _start_of(html: str) -> int | None:
    """Return where the block begins that the header begins with."""
    lines, places = [""], [0]
    for match in TOKEN.finditer(html):
        if match[3]:
            if len(lines[-1]) < LONGEST:
                lines[-1] += unescape(match[3][:LONGEST]).replace("\n", " ")
        elif match[2].lower() in BLOCKS and lines[-1].strip():
            lines.append("")
            places.append(match.end() if match[1] else match.start())
    found = start(lines)
    return None if found is None else places[found]


def _pieces(html: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield what follows, cut where an element ends that began before."""
    opened: list[str] = []
    depth, first = 0, at
    for match in TOKEN.finditer(html):
        name = (match[2] or "").lower()
        if not name or name in VOID:
            continue
        if match.start() < at:
            _follow(opened, name, ends=bool(match[1]))
            continue
        if not match[1]:
            depth += 1
        elif depth:
            depth -= 1
        else:
            if not opened or opened[-1] not in STRICT:
                yield first, match.start()
            _follow(opened, name, ends=True)
            first = match.end()
    yield first, len(html)


def _follow(opened: list[str], name: str, *, ends: bool) -> None:
    if not ends:
        opened.append(name)
    elif opened:
        opened.pop()
