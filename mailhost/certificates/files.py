"""From rows to files: each host writes what was issued, whichever host asked for it.

A renewed certificate lies in its place within seconds, and `contexts` shows it at the
next handshake. Connections that are open go on with what they began with.
"""

import logging
import threading
import time
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import Error, connection

from mailhost.certificates import wanted
from mailhost.certificates.models import IssuedCertificate
from mailhost.certificates.places import directory, file_for, is_name, write
from mailhost.sealing import Unreadable, unsealed

log = logging.getLogger(__name__)

PURPOSE = "certificate"
LOOK_SECONDS = 10.0
WANT_SECONDS = 60.0
SECRET_MODE = 0o600
DRAFT_SECONDS = 3600.0  # one that a killed process left

Seen = dict[str, tuple[datetime | None, int]]  # name -> issued, file written


def follow(stop: threading.Event) -> None:
    """Keep files as rows are, and rows as settings want them, until `stop`."""
    seen: Seen = {}
    want_at = 0.0
    wait = 0.0
    while not stop.wait(wait):
        wait = LOOK_SECONDS
        try:
            if time.monotonic() >= want_at:
                want_at = time.monotonic() + WANT_SECONDS
                wanted.note()
            sync(seen)
        except (Error, OSError):
            log.exception("the certificates are looked at again later")
            connection.close()
    connection.close()


def sync(seen: Seen | None = None) -> list[str]:
    """Write what is new or not as it should be; return the names that were written.

    What cannot be written is logged, and said in its row.
    """
    seen = {} if seen is None else seen
    rows = IssuedCertificate.objects.exclude(fetched_at=None)
    issued = dict(rows.values_list("name", "fetched_at"))
    written = []
    for name, fetched_at in issued.items():
        if not is_name(name) or seen.get(name) == (fetched_at, _written_at(name)):
            continue
        try:
            if _put(name):
                written.append(name)
        except (OSError, Unreadable) as error:
            _note(name, f"{_complaint()}{error}")
            continue
        _settle(name)
        seen[name] = (fetched_at, _written_at(name))
    _tidy(set(issued))
    return written


def octets_of(name: str) -> bytes:
    """Return key and chain as the file has them; raises Unreadable."""
    row = IssuedCertificate.objects.get(name=name)
    return (unsealed(PURPOSE, row.secret).strip() + "\n" + row.chain).encode()


def _put(name: str) -> bool:
    """Write a file unless it is as it should be; tell whether it was written."""
    file, octets = file_for(name), octets_of(name)
    if _written_at(name) and file.read_bytes() == octets:
        return False
    write(file, octets, SECRET_MODE)
    log.info("certificate put in place file=%s", file)
    return True


def _written_at(name: str) -> int:
    """Return when the file was written; 0: it is not there, or others may read it."""
    try:
        found = file_for(name).stat()
    except OSError:
        return 0
    return 0 if found.st_mode & 0o077 else found.st_mtime_ns


def _tidy(names: set[str]) -> None:
    """Remove the files of certificates that are no rows any more, and old drafts."""
    if not directory().is_dir():
        return
    for file in directory().iterdir():
        if file.suffix == ".pem" and not file.name.startswith("."):
            stray = file.stem not in names and not _is_issued(file.stem)
        else:
            stray = _is_old(file)
        if stray:
            file.unlink(missing_ok=True)


def _is_issued(name: str) -> bool:
    """Ask again: another thread or process may have had it issued meanwhile."""
    rows = IssuedCertificate.objects.exclude(fetched_at=None)
    return rows.filter(name=name).exists()


def _is_old(file: Path) -> bool:
    """Tell whether nobody writes a draft any more."""
    try:
        return time.time() - file.stat().st_mtime > DRAFT_SECONDS
    except OSError:
        return False


def _complaint() -> str:
    return f"{settings.MAILHOST_HOSTNAME} cannot write it: "


def _settle(name: str) -> None:
    """Take back what this host had to complain of."""
    rows = IssuedCertificate.objects.filter(name=name, error__startswith=_complaint())
    rows.update(error="")


def _note(name: str, text: str) -> None:
    log.error("certificate=%s %s", name, text)
    rows = IssuedCertificate.objects.filter(name=name).exclude(error=text)
    rows.update(error=text)
