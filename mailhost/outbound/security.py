"""What a connection must prove before mail goes over it, and whether it did.

- OPPORTUNISTIC: TLS where it works, any certificate. RFC 7435
- PKIX: a certificate of a known authority for the host's name: MTA-STS in mode enforce
  (RFC 8461 §4.2), and smarthosts
- DANE: a certificate that the host's TLSA records name. RFC 7672
"""

import ssl
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

from django.conf import settings

from mailhost.outbound import dane
from mailhost.outbound.dane import Tlsa


class Kind(Enum):
    """How much is asked of a connection."""

    OPPORTUNISTIC = "opportunistic"
    PKIX = "pkix"
    PKIX_OR_NEAR = "pkix unless near"
    DANE = "dane"
    DANE_UNUSABLE = "dane, unusable records"  # TLS, unauthenticated. RFC 7672 §2.2


@dataclass(frozen=True, slots=True)
class Security:
    """What is asked, and by whose policy."""

    kind: Kind = Kind.OPPORTUNISTIC
    tlsa: tuple[Tlsa, ...] = ()
    names: tuple[str, ...] = ()  # that a DANE-TA certificate may bear. RFC 7672 §3.2.2
    testing: bool = False  # MTA-STS mode testing: look, and send all the same
    refused: bool = False  # the policy does not name this host. RFC 8461 §4.1
    policy_type: str = field(default="no-policy-found", compare=False)  # RFC 8460 §4.2
    policy: tuple[tuple[str, Any], ...] = field(default=(), compare=False)

    @property
    def is_required(self) -> bool:
        """Whether mail waits rather than go without."""
        return self.kind is not Kind.OPPORTUNISTIC


OPPORTUNISTIC = Security()


class Untrusted(Exception):
    """The certificate does not prove what it has to."""

    def __init__(self, text: str, failure: str = "certificate-not-trusted") -> None:
        super().__init__(text)
        self.failure = failure


def context_for(security: Security) -> ssl.SSLContext:
    """Return what to do TLS with; for PKIX it verifies chain and name by itself."""
    return _context(
        security.kind in {Kind.PKIX, Kind.PKIX_OR_NEAR},
        settings.MAILHOST_OUTBOUND_CA_FILE,
    )


@lru_cache(maxsize=8)
def _context(verifies: bool, authorities: str) -> ssl.SSLContext:  # noqa: FBT001
    # One for all: reading the authorities takes 20 ms.
    context = ssl.create_default_context(cafile=authorities or None)
    if not verifies:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def verify(security: Security, host: str, tls: ssl.SSLObject) -> str:
    """Return who vouched for the certificate; raises Untrusted."""
    if security.kind in {Kind.PKIX, Kind.PKIX_OR_NEAR}:
        return "verified"
    if security.kind is Kind.DANE_UNUSABLE:
        return "not verified: no usable TLSA record"
    if security.kind is Kind.OPPORTUNISTIC:
        return ""
    leaf = tls.getpeercert(binary_form=True)
    if leaf is None:
        raise Untrusted("there is no certificate")
    try:
        return dane.verify(
            security.tlsa, security.names or (host,), leaf, chain_of(tls)
        )
    except dane.NoMatch as error:
        raise Untrusted(str(error), "validation-failure") from None


def chain_of(tls: Any) -> list[bytes] | None:
    """Return the certificates that the server sent, DER; None: Python cannot tell."""
    if hasattr(tls, "get_unverified_chain"):  # Python 3.13
        return list(tls.get_unverified_chain())
    inner: Any = getattr(tls, "_sslobj", None)
    if not hasattr(inner, "get_unverified_chain"):
        return None
    # There since Python 3.10, without a public name until 3.13.
    import _ssl

    return [c.public_bytes(_ssl.ENCODING_DER) for c in inner.get_unverified_chain()]
