"""Private keys, requests, and what a certificate says."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

LONGEST_NAME = 64  # of a subject; X.520


class Unusable(Exception):
    """This certificate is not the one that was asked for."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a certificate says."""

    names: tuple[str, ...]
    begins_at: datetime
    ends_at: datetime
    issuer: str

    @property
    def renew_at(self) -> datetime:
        """Two thirds of its life are over."""
        return self.begins_at + (self.ends_at - self.begins_at) * 2 / 3


def new_key() -> str:
    """Return a new private key, PEM."""
    return pem_of(ec.generate_private_key(ec.SECP256R1()))


def pem_of(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a private key as PEM."""
    octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return octets.decode("ascii")


def key_in(pem: str) -> ec.EllipticCurvePrivateKey:
    """Read a private key that we made."""
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def request(name: str, pem: str) -> bytes:
    """Return the request for a certificate of one name, PEM. RFC 8555 §7.4."""
    common = [x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]
    subject = x509.Name(common if len(name) <= LONGEST_NAME else [])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    signed = builder.add_extension(names, critical=False).sign(
        key_in(pem), hashes.SHA256()
    )
    return signed.public_bytes(Encoding.PEM)


def facts(chain: str) -> Facts:
    """Read the first certificate of a chain; raises Unusable."""
    try:
        first = x509.load_pem_x509_certificates(chain.encode())[0]
        kind = x509.SubjectAlternativeName
        names = first.extensions.get_extension_for_class(kind).value
    except (ValueError, x509.ExtensionNotFound) as error:
        raise Unusable(f"what was issued cannot be read: {error}") from None
    return Facts(
        tuple(name.lower() for name in names.get_values_for_type(x509.DNSName)),
        first.not_valid_before_utc,
        first.not_valid_after_utc,
        first.issuer.rfc4514_string(),
    )


def checked(name: str, chain: str, pem: str, now: datetime) -> Facts:
    """Read what was issued for a name and a key; raises Unusable if it is not that."""
    found = facts(chain)
    if name not in found.names:
        raise Unusable(f"it is for {', '.join(found.names) or 'no name'}")
    if found.ends_at <= now:
        raise Unusable(f"it ended on {found.ends_at:%Y-%m-%d}")
    if public(chain) != _spki(key_in(pem).public_key()):
        raise Unusable("it is for another key")
    return found


def public(chain: str) -> bytes:
    """Return the public key of a certificate, DER."""
    first = x509.load_pem_x509_certificates(chain.encode())[0]
    return first.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


def _spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def tlsa(chain: str) -> str:
    """Return the TLSA record of the key: it stays when it is renewed. RFC 7671 §5.1."""
    return f"3 1 1 {sha256(public(chain)).hexdigest()}"
