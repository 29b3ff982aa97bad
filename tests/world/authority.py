"""A certificate authority of the tests' own: good, expired, misnamed certificates."""

import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate, its chain and key."""

    certificate: x509.Certificate
    file: Path  # chain and key, PEM

    def context(self) -> ssl.SSLContext:
        """Return what a server shows it with."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.file)
        return made

    def tlsa(self, usage: int = 3, selector: int = 1, matching: int = 1) -> str:
        """Return the TLSA record that names it."""
        return tlsa(self.certificate, usage, selector, matching)


def tlsa(
    certificate: x509.Certificate, usage: int, selector: int, matching: int
) -> str:
    """Return the TLSA record that names a certificate, or its key."""
    octets = certificate.public_bytes(Encoding.DER)
    if selector:
        octets = certificate.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
    hashes = {0: bytes.hex, 1: lambda o: hashlib.sha256(o).hexdigest()}
    hashes[2] = lambda o: hashlib.sha512(o).hexdigest()
    return f"{usage} {selector} {matching} {hashes[matching](octets)}"


class Authority:
    """Issues certificates for names, in a directory."""

    def __init__(self, directory: Path, name: str = "tests") -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        builder = _builder(self._name, self._name, self._key, now - DAY, now + 60 * DAY)
        for extension, critical in (
            (x509.BasicConstraints(ca=True, path_length=None), True),
            (_usage(signs=True), True),
            (x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), False),
        ):
            builder = builder.add_extension(extension, critical=critical)
        self.certificate = builder.sign(self._key, SHA256())
        self.file = directory / f"{name}-authority.pem"
        self.file.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def issue(self, *names: str, expired: bool = False) -> Issued:
        """Return a certificate for host names."""
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        ends = now - timedelta(hours=1) if expired else now + 30 * DAY
        builder = _builder(subject, self._name, key, now - DAY, ends)
        alternatives = x509.SubjectAlternativeName([x509.DNSName(n) for n in names])
        ours = self._key.public_key()
        for extension, critical in (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (alternatives, False),
            (_usage(signs=False), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(ours), False),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        ):
            builder = builder.add_extension(extension, critical=critical)
        made = builder.sign(self._key, SHA256())
        file = self._directory / f"{names[0]}{'-old' if expired else ''}.pem"
        file.write_bytes(
            key.private_bytes(
                Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
            )
            + made.public_bytes(Encoding.PEM)
            + self.certificate.public_bytes(Encoding.PEM)
        )
        return Issued(made, file)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begins: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
