"""Certificates by the name a client asks for: pairs of files. RFC 6066 §3."""

import logging
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography import x509

log = logging.getLogger(__name__)

Pair = tuple[Path, Path]  # chain, key
Stamp = tuple[tuple[int, int, int], ...]  # what changes when a file does


def pairs(directory: Path) -> Iterator[Pair]:
    """Yield the pairs there are: NAME.pem with NAME.key, or certbot's directories."""
    for entry in sorted(directory.iterdir()):
        if entry.is_dir():
            pair = entry / "fullchain.pem", entry / "privkey.pem"
        elif entry.suffix == ".pem":
            pair = entry, entry.with_suffix(".key")
        else:
            continue
        if all(file.is_file() for file in pair):
            yield pair


def issued_in(directory: Path) -> Iterator[Pair]:
    """Yield what an authority issued: files that hold both. See places."""
    if directory.is_dir():
        for file in sorted(directory.glob("[!.]*.pem")):
            yield file, file


def stamp(files: tuple[Path, ...]) -> Stamp:
    """Return what changes when one of the files is replaced. Raises OSError."""
    found = (file.stat() for file in files)
    return tuple((s.st_mtime_ns, s.st_ino, s.st_size) for s in found)


def names_in(chain: Path) -> list[str]:
    """Return a certificate's DNS names, as they are compared. Raises ValueError."""
    certificate = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    try:
        names = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in names.get_values_for_type(x509.DNSName)]


def pick(contexts: Mapping[str, ssl.SSLContext], asked: str) -> ssl.SSLContext | None:
    """Return the context for a name: its own, or that of a wildcard one label up.

    RFC 9525 §6.3: a wildcard is a whole label, the leftmost one.
    """
    name = asked.lower().rstrip(".")
    return contexts.get(name) or contexts.get("*." + name.partition(".")[2])


def chooses(contexts: Mapping[str, ssl.SSLContext]) -> Any:
    """Return the callback of a handshake that goes on with the context for the name."""

    def callback(tls: Any, asked: str | None, _: ssl.SSLContext) -> None:
        found = pick(contexts, asked) if asked else None
        if found is not None:
            tls.context = found

    return callback
