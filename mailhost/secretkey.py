"""The key that signs sessions: given, or made once and kept in the data directory."""

import os
import secrets
import tempfile
from pathlib import Path

from mailhost.environment import Misconfigured

LEAST_CHARACTERS = 32


def secret_key(given: str | None, directory: Path) -> str:
    """Return the given key, or the one in directory, which is made when absent.

    Two processes that start at once get the same key: the file appears complete or
    not at all. Raises Misconfigured for a short key or an unusable directory.
    """
    if given is not None:
        if len(given) < LEAST_CHARACTERS:
            raise Misconfigured("SECRET_KEY", None, "32 characters or more")
        return given
    try:
        return _kept(directory)
    except OSError:
        raise Misconfigured(
            "MAILHOST_DATA_DIR", str(directory), "a directory we may write to"
        ) from None


def _kept(directory: Path) -> str:
    file = directory / "secret-key"
    if not file.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=directory)  # mode 0600
        with os.fdopen(handle, "w") as stream:
            stream.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, file)
        except FileExistsError:
            pass  # another process was first; its key counts
        finally:
            os.unlink(draft)
    return file.read_text("ascii").strip()
