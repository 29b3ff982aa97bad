"""The certificate: self-signed when none is configured; loaded again on change."""

import datetime
import ipaddress
import logging
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.conf import settings

from mailhost.certificates import places
from mailhost.certificates.names import (
    Pair,
    Stamp,
    chooses,
    issued_in,
    names_in,
    pairs,
    pick,
    stamp,
)
from mailhost.certificates.places import write

log = logging.getLogger(__name__)

DAYS = 3650  # a new one would have every client ask its user again
LOOK_EVERY_SECONDS = 1.0


# For programs of users: forward secrecy and no CBC. Port 25 keeps Python's own list: a
# sender without these would come in the clear. The curves are OpenSSL's own, X25519
# first; TLS 1.3 has none but good ciphers.
LOGIN_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True, slots=True)
class Contexts:
    """What one certificate is shown with: to servers, to programs, to browsers."""

    mx: ssl.SSLContext
    login: ssl.SSLContext
    web: ssl.SSLContext
    names: tuple[str, ...] = ()


class Certificate:
    """The TLS contexts of this process; follow their files."""

    def __init__(
        self,
        chain: Path,
        key: Path,
        more: Path | None = None,
        ca: Path | None = None,
        issued: Path | None = None,
    ) -> None:
        """Load them now; raises OSError or ssl.SSLError.

        more: a directory of other certificates; ca: whose client certificates count;
        issued: a file (see places) that goes before chain and key once it is there,
        and in whose directory the other issued ones are.
        """
        self._files = (chain, key)
        self._issued = issued
        self._more = more
        self._ca = ca
        self._guard = threading.Lock()
        self._stamp: Stamp = ()
        self._others: dict[Pair, tuple[Stamp, Contexts]] = {}
        self._by_name: dict[str, ssl.SSLContext] = {}
        self._main = self._first()
        self._load(self._look())
        self._looked_at = time.monotonic()

    def _first(self) -> Contexts:
        try:
            return load(*self._main_pair(), self._ca)
        except (OSError, ValueError) as error:
            if self._main_pair() == self._files:
                raise
            log.warning("certificate not usable file=%s: %s", self._issued, error)
            return load(*self._files, self._ca)

    def _main_pair(self) -> Pair:
        if self._issued is not None and self._issued.is_file():
            return self._issued, self._issued
        return self._files

    def _pairs(self) -> Iterator[Pair]:
        """Yield the other certificates; of one name the administrator's own counts."""
        if self._issued is not None:
            yield from issued_in(self._issued.parent)
        if self._more is not None:
            yield from pairs(self._more)

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """The context for the next handshake of port 25."""
        self._look_now_and_then()
        return self._main.mx

    @property
    def login_context(self) -> ssl.SSLContext:
        """The context for the next handshake of a user's program."""
        self._look_now_and_then()
        return self._main.login

    def web_context(self, name: str | None) -> ssl.SSLContext:
        """The context for the next handshake of a browser that asks for a name."""
        self._look_now_and_then()
        found = pick(self._by_name, name) if name else None
        return found or self._main.web

    def refresh(self) -> None:
        """Load what changed; broken files leave the old in use."""
        with self._guard:
            try:
                stamp = self._look()
                if stamp != self._stamp:
                    pair = self._main_pair()
                    self._main = load(*pair, self._ca)
                    self._load(stamp)
                    log.info("certificates loaded again file=%s", pair[0])
            except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
                # Maybe only one of the two files is replaced yet: the next look tells.
                log.warning("certificate not usable, the old one stays: %s", error)

    def _look_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._looked_at >= LOOK_EVERY_SECONDS:
            self._looked_at = now
            # Not on the event loop: there may be a thousand of them.
            threading.Thread(target=self.refresh, daemon=True).start()

    def _look(self) -> Stamp:
        files = [*self._main_pair()]
        if self._ca is not None:
            files.append(self._ca)
        for pair in self._pairs():
            files += pair
        return stamp(tuple(files))

    def _load(self, seen: Stamp) -> None:
        """Load the other certificates, and have the main contexts choose."""
        self._others = dict(self._load_others())
        by_name = {n: c for _, c in self._others.values() for n in c.names}
        mx = {name: contexts.mx for name, contexts in by_name.items()}
        login = {name: contexts.login for name, contexts in by_name.items()}
        self._by_name = {name: contexts.web for name, contexts in by_name.items()}
        self._main.mx.sni_callback = chooses(mx) if mx else None
        self._main.login.sni_callback = chooses(login) if login else None
        self._stamp = seen

    def _load_others(self) -> Iterator[tuple[Pair, tuple[Stamp, Contexts]]]:
        for pair in self._pairs():
            old = self._others.get(pair)
            try:
                files = pair if self._ca is None else (*pair, self._ca)
                now = stamp(files)
                if old is None or old[0] != now:
                    names = tuple(names_in(pair[0]))
                    old = now, replace(load(*pair, self._ca), names=names)
            except (OSError, ValueError) as error:
                log.warning("certificate not usable file=%s: %s", pair[0], error)
            if old is not None:
                yield pair, old


def load(chain: Path, key: Path, ca: Path | None = None) -> Contexts:
    """Return a server's contexts. Raises OSError (ssl.SSLError is one)."""
    mx, login = _context(chain, key), _context(chain, key)
    login.set_ciphers(LOGIN_CIPHERS)
    web = login
    if ca is not None:
        web = _context(chain, key)
        web.set_ciphers(LOGIN_CIPHERS)
        login.load_verify_locations(ca)
        login.verify_mode = ssl.CERT_OPTIONAL
    return Contexts(mx, login, web)


def _context(chain: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 and later. RFC 8997."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.load_cert_chain(chain, key)
    return context


def from_settings() -> Certificate:
    """Return the configured certificate, or the self-signed one, made if need be."""
    more, ca = settings.MAILHOST_CERTIFICATES_DIR, settings.MAILHOST_CLIENT_CA
    return Certificate(
        *_configured(),
        Path(more) if more else None,
        Path(ca) if ca else None,
        _issued(),
    )


def _issued() -> Path | None:
    """Return where the certificate of this host will be, if an authority issues it."""
    if not settings.MAILHOST_ACME_DIRECTORY:
        return None
    if settings.MAILHOST_CERTIFICATE:  # it goes before; the others are shown by name
        return places.directory() / ".none"
    return places.directory() / f"{settings.MAILHOST_HOSTNAME}.pem"


def _configured() -> Pair:
    if settings.MAILHOST_CERTIFICATE:
        return (
            Path(settings.MAILHOST_CERTIFICATE),
            Path(settings.MAILHOST_CERTIFICATE_KEY),
        )
    folder = Path(settings.MAILHOST_DATA_DIR) / "tls"
    chain, key = folder / "self-signed.pem", folder / "self-signed-key.pem"
    if not (chain.exists() and key.exists()):
        make_self_signed(chain, key, settings.MAILHOST_HOSTNAME)
        log.info("made a self-signed certificate file=%s", chain)
    return chain, key


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
    write(key, secret, 0o600)
    write(chain, certificate.public_bytes(pem), 0o644)


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
