"""Attachments that are programs, by their names."""

from typing_extensions import override

from mailhost.dnsauth.work import run
from mailhost.screening.checks.base import Check
from mailhost.screening.values import Finding, Incoming

# What a double click runs on some desk.
PROGRAMS = frozenset({
    "ade", "adp", "app", "appinstaller", "application", "bat", "chm", "cmd", "com",
    "cpl", "dll", "dmg", "exe", "gadget", "hta", "inf", "ins", "iso", "jar", "js",
    "jse", "lib", "lnk", "mde", "msc", "msi", "msix", "msp", "mst", "pif", "ps1",
    "reg", "scf", "scr", "sct", "sys", "url", "vb", "vbe", "vbs", "vhd", "vxd", "wsc",
    "wsf", "wsh", "xll",
})  # fmt: skip
MOST_SHOWN = 3


class Attachments(Check):
    """Enough points for Junk: programs do not come by mail."""

    name = "attachments"

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        names = await run(_programs, incoming)
        if not names:
            return None
        shown = ", ".join(name[:60] for name in names[:MOST_SHOWN])
        return self.found(6.0, f"An attachment is a program: {shown}")


def _programs(incoming: Incoming) -> list[str]:
    names = [part.filename.strip(" .") for part in incoming.root.walk()]
    return [name for name in names if is_program(name)]


def is_program(name: str) -> bool:
    """Tell whether a file of this name runs when it is opened."""
    return "." in name and name.rpartition(".")[2].strip().lower() in PROGRAMS
