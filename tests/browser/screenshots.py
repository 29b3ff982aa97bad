"""Pictures of ten pages, both sizes, light and dark, for docs/screenshots.

python -m tests.browser.screenshots [directory [a part of a name]]
"""

import base64
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import sync_playwright

from tests.browser.people import NARROW, WIDE, logged_in
from tests.browser.site import ARGUMENTS, CHROMIUM, Site, running

QUALITY = 82
NOW = datetime.now(UTC)
SETUP = """
from datetime import datetime
from accounts.models import Account, User
from mailhost.mailfiles import Found
from mailhost.importing import folder_for, import_messages
from mailhost.store import flags, folders
from mailhost.store.gate import gate
from mailhost.webmail.models import Contact, Label, SavedSearch
alice = User.objects.get(email="alice@example.test")
account = Account.objects.get(owner=alice).pk
for n, (name, hue) in enumerate({labels!r}):
    Label.objects.create(account_id=account, keyword=name.lower(), name=name, hue=hue)
for name in {folders!r}:
    folder_for(account, name)
for name, address in {contacts!r}:
    Contact.objects.create(user=alice, name=name, address=address)
SavedSearch.objects.create(user=alice, name="With files", query="has:attachment")
import ast
for folder, mail in ast.literal_eval(open({file!r}).read()).items():
    found = [
        Found(octets, bits, tuple(words), datetime.fromisoformat(when))
        for octets, bits, words, when in mail
    ]
    import_messages(account, folder_for(account, folder).id, found)
from django.core.management import call_command
call_command("rebuildsearch", verbosity=0)
gate.stop()
"""
LABELS = [("Work", 0), ("Family", 2), ("Travel", 4), ("Receipts", 3)]
FOLDERS = [
    "Clients",
    "Clients/Northwind",
    "Clients/Lighthouse",
    "Recipes",
    "Newsletters",
]
CONTACTS = [("Dora Maar", "dora@lighthouse.test"), ("Carl Brandt", "carl@far.test")]
SEEN = 1
MAIL = yaml.safe_load(Path(__file__).with_name("mailbox.yaml").read_text("utf-8"))


def picture() -> bytes:
    """Return a PNG: the sun goes down over the sea."""
    wide, high = 96, 64
    rows = b""
    for y in range(high):
        rows += b"\0"
        for x in range(wide):
            sun = (x - 60) ** 2 + (y - 34) ** 2 < 120 and y < 40
            sky = (250 - y, 150 + y, 120 + 2 * y) if y < 40 else (30, 80 + y, 150)
            rows += bytes((255, 214, 90) if sun else sky)

    def chunk(kind: bytes, octets: bytes) -> bytes:
        crc = zlib.crc32(kind + octets)
        return struct.pack(">I", len(octets)) + kind + octets + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + chunk(b"IEND", b"")


def letter(
    sender: str, to: str, subject: str, text: str, hours: float, **more: Any
) -> bytes:
    """Return the octets of a message that came so many hours ago."""
    from email.message import EmailMessage
    from email.utils import format_datetime

    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    made["Date"] = format_datetime(NOW - timedelta(hours=hours))
    for name, value in more.get("fields", {}).items():
        made[name] = value
    made.set_content(text, subtype=more.get("subtype", "plain"))
    for name in more.get("files", ()):
        if name.endswith(".png"):
            made.add_attachment(picture(), "image", "png", filename=name)
        elif name.endswith(".txt"):
            made.add_attachment("Decided: the blue one.", filename=name)
        else:
            octets = b"%PDF-1.4 " + b"0" * 180_000
            made.add_attachment(octets, "application", "pdf", filename=name)
    return made.as_bytes()


def mailbox() -> dict[str, list[Any]]:
    """Return {folder: [(octets, flags, labels, when)]}."""
    me = "Alice <alice@example.test>"
    inbox: list[Any] = []
    sent: list[Any] = []

    def put(
        where: list[Any], octets: bytes, hours: float, bits: int, words: Any
    ) -> None:
        where.append((octets, bits, words, (NOW - timedelta(hours=hours)).isoformat()))

    for n, one in enumerate(MAIL["talk"]):
        hours = 3 - n
        fields = {"Message-ID": f"<plan{n}@x.test>"}
        fields |= {"References": "<plan0@x.test>"} if n else {}
        files = ["budget.pdf", "tower.png"] if n == 0 else []
        octets = letter(**one, hours=hours, fields=fields, files=files)
        mine = one["sender"] == me
        put(sent if mine else inbox, octets, hours, 0 if n == 2 else SEEN, ["work"])
    octets = letter(
        "Slow Morning <hello@news.test>", me, "Slow Morning, no. 42",
        MAIL["newsletter"], 7, subtype="html", fields={"List-Unsubscribe": "<https://news.test/u>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )  # fmt: skip
    put(inbox, octets, 7, 0, [])
    for one in MAIL["more"]:
        bits, words, sender = one.pop("flags"), one.pop("labels"), one.pop("sender")
        name = sender if "<" in sender else f'"{sender}" <hello@{len(sender)}.test>'
        put(inbox, letter(name, me, **one), one["hours"], bits, words)
    for n in range(30):
        octets = letter(
            "Team <team@studio.test>", me, f"Week {40 - n}: what we did",
            "Drawings, phone calls, and a lot of tea.", 170 + 24 * n,
        )  # fmt: skip
        put(inbox, octets, 170 + 24 * n, SEEN, ["work"] if n % 3 == 0 else [])
    fraud = letter(
        "Bank Support <help@ехаmple.test>", me, "Your account is locked",
        "<p>Dear customer, <a href='https://evil.test/login'>https://bank.test/login</a></p>",
        1, subtype="html", fields={"Reply-To": "collect@evil.test"},
    )  # fmt: skip
    return {"INBOX": sorted(inbox, key=lambda one: one[3]), "Sent": sent,
            "Junk": [(fraud, 0, [], NOW.isoformat())]}  # fmt: skip


def open_row(page: Any, subject: str) -> None:
    page.locator(".row", has_text=subject).first.locator("> a").click()
    page.wait_for_selector(".conversation .answers")


def folder(page: Any, title: str) -> None:
    if page.narrow:
        page.click("[data-show=folders]")
    page.click(f"#folders a[title='{title}']")
    page.wait_for_selector(
        f"#folders a[title='{title}'][aria-current]", state="attached"
    )


def conversation(page: Any) -> None:
    open_row(page, "The lighthouse plan")


def newsletter(page: Any) -> None:
    open_row(page, "Slow Morning")
    page.wait_for_timeout(600)


def search(page: Any) -> None:
    page.fill("#q", "offer has:attachment")
    page.press("#q", "Enter")
    page.wait_for_selector(".row mark")
    if not page.narrow:
        open_row(page, "Offer 2207")


def compose(page: Any) -> None:
    open_row(page, "The lighthouse plan")
    page.locator("[data-key=r]").last.click()
    page.wait_for_selector(".write .editor:not([hidden])")
    page.focus(".write .editor")
    page.keyboard.press("Control+Home")
    page.keyboard.type("Thursday at ten is good. I bring the drawings.")


def settings(page: Any) -> None:
    if page.narrow:
        page.click("[data-show=folders]")
    page.click(".side .foot a[href='/settings/']")
    page.wait_for_selector(".settings")


def selected(page: Any) -> None:
    for n in range(3):
        page.locator(".row input[name=m]").nth(n + 1).check(force=True)


def warned(page: Any) -> None:
    folder(page, "Junk")
    open_row(page, "Your account is locked")
    page.wait_for_timeout(400)


def folders(page: Any) -> None:
    if page.narrow:
        page.click("[data-show=folders]")
    else:
        folder(page, "Recipes")


PAGES: dict[str, Callable[[Any], None]] = {
    "list": lambda _: None,
    "conversation": conversation,
    "newsletter": newsletter,
    "search": search,
    "compose": compose,
    "settings": settings,
    "selected": selected,
    "warned": warned,
    "folders": folders,
    "keyboard": lambda page: page.press("body", "?"),
}


def take(page: Any, file: Path) -> None:
    session = page.context.new_cdp_session(page)
    asked = {"format": "webp", "quality": QUALITY}
    file.write_bytes(
        base64.b64decode(session.send("Page.captureScreenshot", asked)["data"])
    )


def looks() -> Iterator[tuple[str, tuple[int, int], str]]:
    for size, width in ((WIDE, "1280"), (NARROW, "390")):
        for scheme in ("light", "dark"):
            yield ("" if scheme == "light" else "-dark") + f"-{width}", size, scheme


def pictures(site: Site, chromium: Any, directory: Path, part: str) -> None:
    """Take them all."""
    for suffix, size, scheme in looks():
        wanted = {n: go for n, go in PAGES.items() if part in f"{n}{suffix}"}
        if not wanted:
            continue
        more = {"color_scheme": scheme, "reduced_motion": "reduce"}
        with logged_in(site, chromium, size, strict=False, **more) as page:
            for name, go in wanted.items():
                page.goto(site.url)
                page.wait_for_selector("body[data-connected]")
                go(page)
                page.wait_for_timeout(250)
                take(page, directory / f"{name}{suffix}.webp")


def main(directory: str = "docs/screenshots", part: str = "") -> None:
    """Start a server, fill it, take pictures."""
    with (
        tempfile.TemporaryDirectory() as data,
        running(Path(data)) as site,
        sync_playwright() as started,
    ):
        file = Path(data, "mail")
        file.write_text(repr(mailbox()), "utf-8")
        given = {"labels": LABELS, "folders": FOLDERS, "contacts": CONTACTS}
        site.run(SETUP.format(**given, file=str(file)))
        chromium = started.chromium.launch(
            executable_path=str(CHROMIUM), args=ARGUMENTS
        )
        pictures(site, chromium, Path(directory), part)
        chromium.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
