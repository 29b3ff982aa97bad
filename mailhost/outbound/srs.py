"""Senders of forwarded mail, rewritten to a name of ours and back (SRS).

    SRS0=hash=day=domain=local@ours     a sender of another host
    SRS1=hash=host==rest@ours           one that another host rewrote already

The other host's SPF does not name us; ours does. A bounce comes back to us and goes on
to the sender. The hash keeps strangers from sending through us: keyed, from rows of
SrsKey; the newest signs, older ones are believed as long as their addresses are. From
Meng Weng Wong's description; there is no RFC.
"""

import base64
import hashlib
import hmac
import secrets
import time
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.addresses import is_local_domain
from mailhost.outbound.models import SrsKey
from mailhost.sealing import sealed, unsealed

PURPOSE = "srs"
VALID_DAYS = 21
ROTATED = timedelta(days=90)  # then a new key signs
DAYS = 1024  # the day is counted modulo this
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
MOST_LOCAL = 64  # RFC 5321 §4.5.3.1.1
HASH_LETTERS = 8  # 40 bits, for each address and day


def ours() -> str:
    """Return the domain that rewritten senders are of; empty: none are."""
    domain = str(settings.MAILHOST_SRS_DOMAIN)
    return "" if domain in {"none", "localhost"} else domain


def rewritten(sender: str) -> str:
    """Return the sender for mail of others that leaves us; writes a key when due.

    The null sender stays, so does one of ours, and one whose new name would be longer
    than a local part may be.
    """
    local, _, domain = sender.rpartition("@")
    if not ours() or not local or is_local_domain(domain) or domain.lower() == ours():
        return sender
    made = _srs1(local, domain) or _srs0(local, domain)
    return f"{made}@{ours()}" if len(made.encode()) <= MOST_LOCAL else sender


def original(address: str) -> str | None:
    """Return the sender behind a rewritten one; None: it is not ours, or too old."""
    local, _, domain = address.rpartition("@")
    if not ours() or domain.lower() != ours():
        return None
    kind, rest = local[:5].lower(), local[5:]
    if kind == "srs0=":
        return _reverse0(rest)
    return _reverse1(rest) if kind == "srs1=" else None


def _srs0(local: str, domain: str) -> str:
    day = _day()
    return f"SRS0={_hash(_newest(), day, domain, local)}={day}={domain}={local}"


def _srs1(local: str, domain: str) -> str:
    """Rewrite what is rewritten already.

    The first host stays, we take the place of the one between.
    """
    if local[:5].lower() == "srs0=":
        host, rest = domain, local[4:]
    elif local[:5].lower() == "srs1=" and local.count("=") >= 3:
        host, rest = local[5:].partition("=")[2].partition("=")[::2]
    else:
        return ""
    return f"SRS1={_hash(_newest(), host, rest)}={host}={rest}"


def _reverse0(rest: str) -> str | None:
    pieces = rest.split("=", 3)
    if len(pieces) != 4 or not all(pieces):
        return None
    given, day, domain, local = pieces
    good = any(_same(given, _hash(key, day, domain, local)) for key in _all())
    return f"{local}@{domain}" if good and _is_fresh(day) else None


def _reverse1(rest: str) -> str | None:
    given, _, more = rest.partition("=")
    host, _, inner = more.partition("=")
    if not (given and host and inner):
        return None
    good = any(_same(given, _hash(key, host, inner)) for key in _all())
    return f"SRS0{inner}@{host}" if good else None


def _hash(key: bytes, *words: str) -> str:
    # Some servers change the case of a local part: it does not count.
    text = "\0".join(words).lower().encode("utf-8", "replace")
    digest = hmac.digest(key, text, hashlib.sha256)
    return base64.b32encode(digest).decode().lower()[:HASH_LETTERS]


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(
        given.lower().encode("utf-8", "replace"), wanted.encode()
    )


def _day() -> str:
    number = int(time.time() // 86_400) % DAYS
    return LETTERS[number >> 5] + LETTERS[number & 31]


def _is_fresh(day: str) -> bool:
    if len(day) != 2 or not all(letter in LETTERS for letter in day.lower()):
        return False
    number = LETTERS.index(day[0].lower()) * 32 + LETTERS.index(day[1].lower())
    age = (int(time.time() // 86_400) - number) % DAYS
    return age <= VALID_DAYS


def _newest() -> bytes:
    row = SrsKey.objects.order_by("-created_at").first()
    if row is None or timezone.now() - row.created_at > ROTATED:
        row = SrsKey.objects.create(secret=sealed(PURPOSE, secrets.token_hex(32)))
    return unsealed(PURPOSE, row.secret).encode()


def _all() -> list[bytes]:
    since = timezone.now() - ROTATED - timedelta(days=VALID_DAYS + 1)
    rows = SrsKey.objects.filter(created_at__gt=since).order_by("-created_at")[:5]
    return [unsealed(PURPOSE, row.secret).encode() for row in rows]
