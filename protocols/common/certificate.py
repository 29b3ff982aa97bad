"""The certificate: self-signed when none is configured; loaded again on change."""

import datetime
import ipaddress
import logging
import os
import ssl
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.conf import settings

log = logging.getLogger(__name__)

DAYS = 3650  # a new one would have every client ask its user again
LOOK_EVERY_SECONDS = 1.0


class Certificate:
    """The TLS context of this process; follows its files."""

    def __init__(self, chain: Path, key: Path) -> None:
        """Load them now; raises OSError or ssl.SSLError."""
        self._files = (chain, key)
        self._stamp = self._look()
        self._looked_at = time.monotonic()
        self._context = load(chain, key)

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """The context for the next handshake."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_EVERY_SECONDS:
            self._looked_at = now
            self.refresh()
        return self._context

    def refresh(self) -> None:
        """Load the files if they changed; broken ones leave the old in use."""
        try:
            stamp = self._look()
            if stamp != self._stamp:
                self._context = load(*self._files)
                self._stamp = stamp
                log.info("certificate loaded again file=%s", self._files[0])
        except (OSError, ssl.SSLError) as error:
            # Maybe only one of the two files is replaced yet: the next look tells.
            log.warning("certificate not usable, the old one stays: %s", error)

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        found = (file.stat() for file in self._files)
        return tuple((s.st_mtime_ns, s.st_ino, s.st_size) for s in found)


def load(chain: Path, key: Path) -> ssl.SSLContext:
    """Return a server's context: TLS 1.2 and later (RFC 8997)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.load_cert_chain(chain, key)
    return context


def from_settings() -> Certificate:
    """Return the configured certificate, or the self-signed one, made if need be."""
    if settings.MAILHOST_CERTIFICATE:
        return Certificate(
            Path(settings.MAILHOST_CERTIFICATE), Path(settings.MAILHOST_CERTIFICATE_KEY)
        )
    folder = Path(settings.MAILHOST_DATA_DIR) / "tls"
    chain, key = folder / "self-signed.pem", folder / "self-signed-key.pem"
    if not (chain.exists() and key.exists()):
        make_self_signed(chain, key, settings.MAILHOST_HOSTNAME)
        log.info("made a self-signed certificate file=%s", chain)
    return Certificate(chain, key)


def make_self_signed(chain: Path, key: Path, hostname: str) -> None:
    """Write a certificate for this host and its loopback names."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:64])])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(_names(hostname)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .sign(private, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = private.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(key, secret, 0o600)
    _write(chain, certificate.public_bytes(pem), 0o644)


def _names(hostname: str) -> list[x509.GeneralName]:
    dns = dict.fromkeys(["localhost", hostname])
    addresses = ("127.0.0.1", "::1")
    return [
        *(x509.DNSName(name) for name in dns if not _is_address(name)),
        *(x509.IPAddress(ipaddress.ip_address(a)) for a in addresses),
    ]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _write(file: Path, octets: bytes, mode: int) -> None:
    """Put a whole file in place; nobody ever sees it with another mode."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb"
    ) as f:
        f.write(octets)
    draft.replace(file)
