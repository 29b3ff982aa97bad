"""DKIM signatures on what leaves in the name of a domain of ours. RFC 6376, RFC 8463.

Both an RSA and an Ed25519 signature, over the header fields that readers see, relaxed
in header and body. From, To, Subject and their like are signed once more than they are
there: nobody can add another (RFC 6376 §8.15).

What we send on for others bears a seal of ours: RFC 8617.
"""

import logging

import dkim
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings

from accounts.names import split_address
from mailhost.dnsauth.arcset import Sealer, Sight, names_to_sign, seal
from mailhost.dnsauth.signed import letter_of
from mailhost.mime.headers import block_end, fields
from mailhost.outbound.dkimkeys import PURPOSE, signing_keys
from mailhost.outbound.models import DkimKey
from mailhost.sealing import Unreadable, unsealed

log = logging.getLogger(__name__)

# RFC 6376 §5.4.1, without what mailing lists and servers on the way may add.
SIGNED = (
    *(b"from", b"sender", b"reply-to", b"to", b"cc", b"subject", b"date"),
    *(b"message-id", b"in-reply-to", b"references"),
    *(b"mime-version", b"content-type", b"content-transfer-encoding"),
    *(b"list-unsubscribe", b"list-unsubscribe-post", b"auto-submitted"),
)
OVERSIGNED = frozenset(
    {b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"reply-to"}
    | {b"mime-version", b"content-type", b"content-transfer-encoding"}
)
_ALGORITHMS = {
    DkimKey.Kind.RSA: b"rsa-sha256",
    DkimKey.Kind.ED25519: b"ed25519-sha256",
}


def sealer_of(domain: str) -> Sealer | None:
    """Return who seals what a domain of ours forwards; None: it has no key. Reads.

    RSA, the one kind that verifiers of ARC know.
    """
    if not settings.MAILHOST_DKIM_SIGN:
        return None
    for row in signing_keys(domain):
        if row.kind == DkimKey.Kind.RSA:
            try:
                secret = unsealed(PURPOSE, row.secret).encode()
                key = load_pem_private_key(secret, None)
            except (Unreadable, ValueError) as error:
                log.error("no ARC seal by %s: %s", row, error)  # noqa: TRY400
                return None
            assert isinstance(key, RSAPrivateKey)
            return Sealer(row.domain, row.selector, key)
    return None


def sealed(octets: bytes, sealer: Sealer, sight: Sight) -> bytes:
    """Return a message that goes on with what we saw of it, sealed, in front."""
    letter = letter_of(octets)
    names = names_to_sign(letter, (b"dkim-signature", *SIGNED))
    return seal(letter, sight, sealer, names) + octets


def signed(octets: bytes, author: str) -> bytes:
    """Return a message with the signatures of its author's domain in front.

    One of a domain without keys comes back as it is, and so does one that cannot be
    signed: unsigned mail arrives more often than none. Reads only.
    """
    if not settings.MAILHOST_DKIM_SIGN:
        return octets
    _, domain = split_address(author)
    made = b"".join(_signature(octets, key) for key in signing_keys(domain))
    return made + octets


def _signature(octets: bytes, key: DkimKey) -> bytes:
    try:
        secret = unsealed(PURPOSE, key.secret).encode()
        return bytes(
            dkim.DKIM(octets).sign(
                key.selector.encode(),
                key.domain.encode(),
                secret,
                signature_algorithm=_ALGORITHMS[DkimKey.Kind(key.kind)],
                canonicalize=(b"relaxed", b"relaxed"),
                include_headers=_names(octets),
            )
        )
    except (dkim.DKIMException, Unreadable, ValueError) as error:
        log.error("no DKIM signature by %s: %s", key, error)  # noqa: TRY400 - no trace
        return b""


def _names(octets: bytes) -> list[bytes]:
    """Return the names to sign, as often as they are there.

    Once more where nothing may be added.
    """
    header = octets[: block_end(octets, 0, len(octets))]
    there = [name.lower() for name, _ in fields(header)]
    return [
        name
        for wanted in SIGNED
        for name in [wanted] * (there.count(wanted) + (wanted in OVERSIGNED))
    ]
