"""TLSA records against certificates. RFC 6698, RFC 7671, RFC 7672. Pure.

Only DANE-EE(3) and DANE-TA(2) count for SMTP (RFC 7672 §3.1.3); others are unusable.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

_HASHES: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: lambda octets: hashlib.sha256(octets).digest(),
    2: lambda octets: hashlib.sha512(octets).digest(),
}
TA, EE = 2, 3


class NoMatch(Exception):
    """No record speaks for the certificate."""


@dataclass(frozen=True, slots=True)
class Tlsa:
    """One TLSA record. RFC 6698 §2.1.."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def is_usable(self) -> bool:
        """Whether we know what it means. RFC 7672 §3.1.."""
        lengths = {1: 32, 2: 64}
        right = len(self.data) == lengths.get(self.matching, len(self.data) or -1)
        known = self.selector in {0, 1} and self.matching in _HASHES
        return self.usage in {TA, EE} and known and right

    def matches(self, certificate: x509.Certificate) -> bool:
        """Tell whether it names this certificate, or its key."""
        if self.selector == 0:
            octets = certificate.public_bytes(Encoding.DER)
        else:
            octets = _key_of(certificate)
        return hmac.compare_digest(_HASHES[self.matching](octets), self.data)


def _key_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


def key_digest(certificate: bytes) -> str:
    """Return what a record 3 1 1 says of a certificate: the SHA-256 of its key."""
    key = _key_of(x509.load_der_x509_certificate(certificate))
    return hashlib.sha256(key).hexdigest()


def usable(records: Iterable[Tlsa]) -> tuple[Tlsa, ...]:
    """Return the records that can be used."""
    return tuple(record for record in records if record.is_usable)


def verify(
    records: Sequence[Tlsa],
    names: Sequence[str],
    leaf: bytes,
    chain: Sequence[bytes] | None,
) -> str:
    """Return which usage matched, for people; raises NoMatch.

    `chain` are the certificates of the server, None if they cannot be known: then
    DANE-TA speaks for nothing, and the mail waits.
    """
    try:
        certificate = x509.load_der_x509_certificate(leaf)
        # Neither names nor dates count for DANE-EE. RFC 7672 §3.1.1
        if any(r.usage == EE and r.matches(certificate) for r in records):
            return "DANE-EE"
        anchored = [record for record in records if record.usage == TA]
        if anchored and chain is None:
            raise NoMatch("this Python does not show the chain that DANE-TA needs")
        others = [x509.load_der_x509_certificate(der) for der in (chain or [])[:10]]
        if anchored and _anchored(anchored, names, certificate, others):
            return "DANE-TA"
    except ValueError as error:  # from parsing what a stranger sent
        raise NoMatch(f"the certificate cannot be read ({error})") from error
    raise NoMatch("no TLSA record matches the certificate")


def _anchored(
    records: Sequence[Tlsa],
    names: Sequence[str],
    leaf: x509.Certificate,
    chain: Sequence[x509.Certificate],
) -> bool:
    """Tell whether a named authority issued the leaf, and for one of the names."""
    anchors = [c for c in chain if c != leaf and any(r.matches(c) for r in records)]
    # The authority itself may be in the record alone. RFC 7671 §5.2.2
    bare = [r.data for r in records if (r.selector, r.matching) == (0, 0)]
    anchors += [x509.load_der_x509_certificate(octets) for octets in bare]
    if not anchors:
        return False
    store, between = Store(anchors), [c for c in chain if c != leaf]
    for name in names:
        builder = PolicyBuilder().store(store).time(datetime.now(UTC))
        try:
            builder.build_server_verifier(x509.DNSName(name)).verify(leaf, between)
        except VerificationError:
            continue
        return True
    return False
