"""How TLS went, counted by day; told daily to who asks. RFC 8460 (text not read)."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from mailhost.outbound.models import TlsOutcome
from mailhost.outbound.values import TlsSession

MOST_KINDS = 1_000  # different outcomes of one domain and day


def count(domain: str, sessions: Iterable[TlsSession]) -> None:
    """Count the connections of one attempt; part of the caller's transaction."""
    day = timezone.now().astimezone(UTC).date()
    for session in sessions:
        bad = bool(session.failure)
        key = {
            "day": day,
            "domain": domain,
            "policy_type": session.policy_type,
            "failure": session.failure,
            "host": session.host[:255] if bad else "",
            "address": session.address[:64] if bad else "",
        }
        if TlsOutcome.objects.filter(**key).update(count=F("count") + 1):
            continue
        if TlsOutcome.objects.filter(day=day, domain=domain).count() < MOST_KINDS:
            policy = {name: list(value) for name, value in session.policy}
            TlsOutcome.objects.create(**key, policy=policy, count=1)


def domains_of(day: date) -> list[str]:
    """Return the domains that there is something to tell of."""
    rows = TlsOutcome.objects.filter(day=day).values_list("domain", flat=True)
    return sorted(set(rows))


def addresses_in(records: Sequence[str]) -> list[str]:
    """Return where reports go, as _smtp._tls says: mailto: and https: URLs. §3."""
    found = [r for r in records if r.replace(" ", "").startswith("v=TLSRPTv1;")]
    if len(found) != 1:
        return []
    for piece in found[0].split(";"):
        name, _, value = piece.partition("=")
        if name.strip() == "rua":
            return [url.strip() for url in value.split(",") if url.strip()][:5]
    return []


def report(day: date, domain: str, host: str, contact: str) -> tuple[str, bytes]:
    """Return the report's id and its JSON. §4.4."""
    rows = list(TlsOutcome.objects.filter(day=day, domain=domain).order_by("pk"))
    start = datetime.combine(day, time(), UTC)
    end = start + timedelta(days=1) - timedelta(seconds=1)
    identity = f"{day:%Y%m%d}.{domain}@{host}"
    found = {
        "organization-name": host,
        "date-range": {
            "start-datetime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "end-datetime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        },
        "contact-info": contact,
        "report-id": identity,
        "policies": _policies(domain, rows),
    }
    return identity, json.dumps(found, indent=1).encode()


def _policies(domain: str, rows: Sequence[TlsOutcome]) -> list[dict[str, Any]]:
    kinds: dict[str, list[TlsOutcome]] = {}
    for row in rows:
        kinds.setdefault(row.policy_type, []).append(row)
    return [
        {
            "policy": {"policy-type": kind, "policy-domain": domain, **some[-1].policy},
            "summary": {
                "total-successful-session-count": sum(
                    row.count for row in some if not row.failure
                ),
                "total-failure-session-count": sum(
                    row.count for row in some if row.failure
                ),
            },
            "failure-details": [_failure(row) for row in some if row.failure],
        }
        for kind, some in kinds.items()
    ]


def _failure(row: TlsOutcome) -> dict[str, Any]:
    return {
        "result-type": row.failure,
        "receiving-mx-hostname": row.host,
        "receiving-ip": row.address,
        "failed-session-count": row.count,
    }
