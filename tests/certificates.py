"""A certificate authority for one test, and what it signs."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM
DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates; its own is at `file`."""

    def __init__(self, folder: Path, name: str = "Test CA") -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._builder(self.name, self.key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.file = folder / "ca.pem"
        self.file.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(PEM))

    def sign(
        self,
        name: str,
        *,
        dns: tuple[str, ...] = (),
        emails: tuple[str, ...] = (),
        age: int = 0,
        into: tuple[Path, Path] | None = None,
    ) -> tuple[Path, Path]:
        """Write a certificate and its key; `age`: days since it ended."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = [
            *(x509.DNSName(d) for d in dns), *(x509.RFC822Name(e) for e in emails)
        ]  # fmt: skip
        made = self._builder(subject, key, age)
        if names:
            extension = x509.SubjectAlternativeName(names)
            made = made.add_extension(extension, critical=False)
        chain, secret = into or (
            self.folder / f"{name}.pem", self.folder / f"{name}.key"
        )  # fmt: skip
        secret.write_bytes(
            key.private_bytes(
                PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        chain.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(PEM))
        return chain, secret

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, age: int = 0
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC) - age * DAY
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(now + (DAY if not age else -DAY / 2))
        )
