"""The DKIM keys of our domains: made, published, rotated. RFC 6376 §3.6.1, RFC 8463.

Each domain has, for RSA and for Ed25519, one key that signs and the next one, which is
published before it signs; what signed before stays published until all that it signed
has arrived. Secrets are sealed in their rows and leave them for signing alone.
"""

import asyncio
import base64
import time
from collections.abc import Sequence
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from django.db import transaction
from django.utils import timezone

from mailhost.outbound import resolver
from mailhost.outbound.models import DkimKey
from mailhost.outbound.resolver import NoAnswer
from mailhost.sealing import sealed

PURPOSE = "dkim"
KEEP_OLD = timedelta(days=14)  # longer than mail waits in anybody's queue
KINDS = tuple(DkimKey.Kind.values)
ACTIVE, NEXT, OLD = (
    DkimKey.Phase.ACTIVE.value,
    DkimKey.Phase.NEXT.value,
    DkimKey.Phase.OLD.value,
)


def make(domain: str) -> list[DkimKey]:
    """Give a domain what it lacks of signing and next keys; return the new ones."""
    wanted = [(kind, phase) for kind in KINDS for phase in (ACTIVE, NEXT)]
    with transaction.atomic():
        rows = DkimKey.objects.filter(domain=domain).values_list("kind", "phase")
        there = set(rows)
        lacking = [one for one in wanted if one not in there]
        return [_make(domain, kind, phase) for kind, phase in lacking]


def rotate(domain: str) -> list[DkimKey]:
    """Let the next keys sign, and make new next ones; return all keys."""
    now = timezone.now()
    with transaction.atomic():
        rows = DkimKey.objects.select_for_update().filter(domain=domain)
        if {row.phase for row in rows} >= {ACTIVE, NEXT}:
            rows.filter(phase=ACTIVE).update(phase=OLD, changed_at=now)
            rows.filter(phase=NEXT).update(phase=ACTIVE, changed_at=now)
        rows.filter(phase=OLD, changed_at__lt=now - KEEP_OLD).delete()
        make(domain)
    return keys_of(domain)


def keys_of(domain: str) -> list[DkimKey]:
    """Return a domain's keys, those that sign first."""
    order = [ACTIVE, NEXT, OLD]
    rows = DkimKey.objects.filter(domain=domain)
    return sorted(rows, key=lambda row: (order.index(row.phase), row.selector))


def record(key: DkimKey) -> tuple[str, str]:
    """Return the name and the text of the TXT record that publishes a key."""
    name = f"{key.selector}._domainkey.{key.domain}"
    return name, f"v=DKIM1; k={key.kind}; p={key.public}"


def zone_line(key: DkimKey) -> str:
    """Return the record as a zone file has it, in strings of at most 255 octets."""
    name, text = record(key)
    parts = [text[n : n + 250] for n in range(0, len(text), 250)]
    return f"{name}. IN TXT ( " + " ".join(f'"{part}"' for part in parts) + " )"


async def unpublished(keys: Sequence[DkimKey]) -> list[DkimKey]:
    """Return the keys whose records DNS does not have; raises NoAnswer."""
    missing = []
    for key in keys:
        name, _text = record(key)
        found = ["".join(text.split()) for text in await resolver.texts(name)]
        if not any(f"p={key.public}" in text.split(";") for text in found):
            missing.append(key)
    return missing


def unpublished_next(domain: str) -> str:
    """Return the names of next keys that DNS lacks or did not tell of; for threads."""
    rows = [key for key in keys_of(domain) if key.phase == NEXT]
    try:
        missing = asyncio.run(unpublished(rows))
    except NoAnswer:
        missing = rows
    return ", ".join(str(key) for key in missing)


def _make(domain: str, kind: str, phase: str) -> DkimKey:
    secret, public = _rsa() if kind == DkimKey.Kind.RSA else _ed25519()
    day = timezone.now().strftime("%y%m%d")
    taken = set(
        DkimKey.objects.filter(domain=domain).values_list("selector", flat=True)
    )
    names = (f"{kind[0]}{day}{n or ''}" for n in range(10_000))
    selector = next(name for name in names if name not in taken)
    return DkimKey.objects.create(
        domain=domain,
        selector=selector,
        kind=kind,
        phase=phase,
        secret=sealed(PURPOSE, secret),
        public=public,
    )


def _rsa() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    secret = key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    public = key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return secret.decode(), base64.b64encode(public).decode()


def _ed25519() -> tuple[str, str]:
    key = ed25519.Ed25519PrivateKey.generate()
    secret = key.private_bytes_raw()
    # The bare key, without ASN.1. RFC 8463 §4
    public = key.public_key().public_bytes_raw()
    return base64.b64encode(secret).decode(), base64.b64encode(public).decode()


class Remembered:
    """The signing keys of domains, as they were at most SECONDS ago."""

    SECONDS = 10.0

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, list[DkimKey]]] = {}

    def __call__(self, domain: str) -> list[DkimKey]:
        """Return the keys that sign for a domain; none if it has none."""
        now = time.monotonic()
        found = self._known.get(domain)
        if found is None or now >= found[0]:
            rows = DkimKey.objects.filter(domain=domain, phase=ACTIVE)
            found = (now + self.SECONDS, list(rows.order_by("-kind")))
            if len(self._known) > 10_000:
                self._known = {}
            self._known[domain] = found
        return found[1]

    def forget(self) -> None:
        """Ask again."""
        self._known = {}


signing_keys = Remembered()
