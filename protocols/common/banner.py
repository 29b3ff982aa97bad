"""What runmailservers says when it listens: where to connect, and as whom."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from django.conf import settings

from protocols.common.services import SERVICES, Tls

WORDS = {Tls.STARTTLS: "STARTTLS", Tls.IMPLICIT: "TLS", Tls.NEVER: "none"}
DEMO_FILE = "demo-passwords.txt"


def banner(ports: Mapping[str, int]) -> str:
    """Return the table of services by their real ports, URLs, and demo logins."""
    address = " ".join(settings.MAILHOST_LISTEN)
    rows = [("WHAT", "ADDRESS", "PORT", "TLS")]
    rows += [
        (s.name, "127.0.0.1" if s.loopback_only else address, str(ports[s.name]), tls)
        for s in SERVICES
        if s.name in ports and (tls := WORDS[s.tls])
    ]
    parts = [columns(rows)]
    if "web" in ports:
        url = f"http://{settings.MAILHOST_WEB_ADDRESS}:{ports['web']}/"
        parts.append(columns([("webmail", url), ("admin", f"{url}admin/")]))
    if "web-tls" in ports:
        url = f"https://{settings.MAILHOST_HOSTNAME}:{ports['web-tls']}/"
        parts.append(columns([("webmail", url.removesuffix(":443/"))]))
    logins = demo_logins(Path(settings.MAILHOST_DATA_DIR) / DEMO_FILE)
    if logins:
        parts.append(columns([("USER", "PASSWORD"), *logins]))
    return "\n" + "\n".join(parts)


def demo_logins(file: Path) -> list[tuple[str, ...]]:
    """Return (login, password) of the demo users; none where there is no demo."""
    if not file.exists():
        return []
    return [tuple(line.split(maxsplit=1)) for line in file.read_text().splitlines()]


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of text with their columns in line."""
    table = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in table
    )
    return "".join(line.rstrip() + "\n" for line in lines)
