"""What was seen of other domains' mail, counted by day, as aggregate reports.

RFC 7489 §7.2 and Appendix C (text not read). `record_dmarc` is called by whoever
verified a message; the report of a day is made from the rows the day after.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from xml.etree import ElementTree as Xml

from django.db.models import F
from django.utils import timezone

from mailhost.outbound.models import DmarcRecord

MOST_ROWS = 10_000  # of one domain and day


@dataclass(frozen=True, slots=True)
class DmarcSeen:
    """One message, as it was verified."""

    source_ip: str
    header_from: str  # the author's domain
    policy_domain: str  # whose record it was
    report_to: str  # the value of rua; empty: nobody asks
    policy: Mapping[str, str]  # adkim, aspf, p, sp, pct as published
    disposition: str  # none, quarantine or reject: what was done
    dkim_aligned: bool
    spf_aligned: bool
    envelope_from: str = ""  # domain of MAIL FROM
    spf: str = "none"  # result for envelope_from, or the HELO name
    dkim: Sequence[tuple[str, str, str]] = ()  # (domain, selector, result)
    reasons: Sequence[tuple[str, str]] = field(
        default=()
    )  # (type, comment) of overrides


def record_dmarc(seen: DmarcSeen) -> None:
    """Count a message for the report of today; inside a transaction, synchronous."""
    if not seen.report_to:
        return
    day = timezone.now().astimezone(UTC).date()
    row = asdict(seen)
    policy = dict(row.pop("policy"))
    report_to = row.pop("report_to")
    text = json.dumps([policy, row], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    rows = DmarcRecord.objects.filter(day=day, domain=seen.policy_domain.lower())
    if rows.filter(digest=digest).update(count=F("count") + 1):
        return
    if rows.count() >= MOST_ROWS:
        return
    DmarcRecord.objects.create(
        day=day,
        domain=seen.policy_domain.lower(),
        report_to=report_to[:2000],
        policy=policy,
        row=json.loads(json.dumps(row)),
        digest=digest,
        count=1,
    )


def domains_of(day: date) -> list[str]:
    """Return the domains that there is something to tell of."""
    rows = DmarcRecord.objects.filter(day=day).values_list("domain", flat=True)
    return sorted(set(rows))


def addresses_in(report_to: str) -> list[tuple[str, int]]:
    """Return the mailto: addresses of a rua and the most octets each takes; 0: any."""
    units = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
    found = []
    for url in report_to.split(",")[:5]:
        address, _, size = url.strip().partition("!")
        number = size.rstrip("kmgtKMGT")
        most = (
            int(number) * units.get(size[len(number) :].lower(), 1)
            if number.isdigit()
            else 0
        )
        if address.lower().startswith("mailto:") and "@" in address:
            found.append((address[7:], most))
    return found


def report(day: date, domain: str, host: str, contact: str) -> tuple[str, bytes]:
    """Return the report's id and its XML."""
    rows = list(DmarcRecord.objects.filter(day=day, domain=domain).order_by("pk"))
    start = datetime.combine(day, time(), UTC)
    end = start + timedelta(days=1)
    identity = f"{day:%Y%m%d}.{domain}@{host}"
    feedback = Xml.Element("feedback")
    metadata = Xml.SubElement(feedback, "report_metadata")
    _texts(metadata, {"org_name": host, "email": contact, "report_id": identity})
    dates = {"begin": int(start.timestamp()), "end": int(end.timestamp()) - 1}
    _texts(Xml.SubElement(metadata, "date_range"), dates)
    published = Xml.SubElement(feedback, "policy_published")
    names = ("adkim", "aspf", "p", "sp", "pct")
    policy = rows[-1].policy if rows else {}
    _texts(
        published, {"domain": domain, **{n: policy[n] for n in names if n in policy}}
    )
    for row in rows:
        _record(Xml.SubElement(feedback, "record"), row)
    return identity, Xml.tostring(feedback, "UTF-8", xml_declaration=True)


def _record(parent: Xml.Element, row: DmarcRecord) -> None:
    seen = row.row
    part = Xml.SubElement(parent, "row")
    _texts(part, {"source_ip": seen["source_ip"], "count": row.count})
    evaluated = Xml.SubElement(part, "policy_evaluated")
    result = {"disposition": seen["disposition"]}
    for method in ("dkim", "spf"):
        result[method] = "pass" if seen[f"{method}_aligned"] else "fail"
    _texts(evaluated, result)
    for kind, comment in seen["reasons"]:
        _texts(Xml.SubElement(evaluated, "reason"), {"type": kind, "comment": comment})
    names = {"envelope_from": seen["envelope_from"], "header_from": seen["header_from"]}
    _texts(Xml.SubElement(parent, "identifiers"), names)
    results = Xml.SubElement(parent, "auth_results")
    for domain, selector, outcome in seen["dkim"]:
        one = {"domain": domain, "selector": selector, "result": outcome}
        _texts(Xml.SubElement(results, "dkim"), one)
    spf = {"domain": seen["envelope_from"], "scope": "mfrom", "result": seen["spf"]}
    _texts(Xml.SubElement(results, "spf"), spf)


def _texts(parent: Xml.Element, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        # What XML cannot hold is not sent.
        text = "".join(c for c in str(value) if c.isprintable())
        Xml.SubElement(parent, name).text = text
