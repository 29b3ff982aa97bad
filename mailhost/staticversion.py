"""A name for the static files as they are: what changes it changes their address."""

import hashlib
from pathlib import Path

import allauth
import django


def version(root: Path) -> str:
    """Return twelve hexadecimal digits that follow from our files and the packages'."""
    told = hashlib.sha256(f"{django.__version__} {allauth.__version__}".encode())
    found = (f for one in ("*/static", "*/*/static") for f in root.glob(f"{one}/**/*"))
    for file in sorted(file for file in found if file.is_file()):
        told.update(file.relative_to(root).as_posix().encode())
        told.update(file.read_bytes())
    return told.hexdigest()[:12]
