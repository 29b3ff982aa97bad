"""Where issued certificates lie on this host: NAME.pem, key and chain in one file.

One file, so that no moment is between the key's writing and the chain's.
"""

import os
import re
from pathlib import Path
from threading import get_ident

from django.conf import settings

# What an authority issues for: two labels or more, never a path.
NAME = re.compile(r"(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?!-)[a-z0-9-]*[a-z][a-z0-9-]*")
LONGEST = 230  # a file's name has room for it


def is_name(name: str) -> bool:
    """Tell whether an authority of the public could issue for a name at all."""
    return len(name) <= LONGEST and NAME.fullmatch(name) is not None


def directory() -> Path:
    """Return where they are; it may not be there yet."""
    return Path(settings.MAILHOST_DATA_DIR) / "tls" / "acme"


def file_for(name: str) -> Path:
    """Return the file of one name."""
    assert is_name(name), name
    return directory() / f"{name}.pem"


def write(file: Path, octets: bytes, mode: int) -> None:
    """Put a whole file in place; nobody ever sees it with another mode."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}-{get_ident()}")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb"
        ) as f:
            f.write(octets)
            f.flush()
            os.fsync(f.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
