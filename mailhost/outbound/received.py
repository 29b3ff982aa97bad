"""Reports that other servers send on our mail: DMARC aggregate and TLS, to rows.

RFC 7489 §7.2 and Appendix C, RFC 8460 §4 (texts not read). What comes is a stranger's:
packed octets are unpacked to a bound, XML with a DOCTYPE is not read, numbers and texts
are cut to what a row holds, and what is no report is forgotten.
"""

import gzip
import io
import json
import logging
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as Xml

from accounts.addresses import is_local_domain
from mailhost.mime.decode import decode_body
from mailhost.mime.message import parse
from mailhost.outbound.models import ReceivedReport
from mailhost.store.gate import gate

log = logging.getLogger(__name__)

MOST_UNPACKED = 20_000_000  # octets
MOST_PARTS = 10  # of a message that are looked at
MOST_ROWS = 2_000  # of a report that are kept
MOST_COUNT = 2**40


class NoReport(Exception):
    """It cannot be read as a report; the text says why."""


@dataclass(frozen=True, slots=True)
class Read:
    """A report as it is kept."""

    kind: str
    domain: str
    reporter: str
    report_id: str
    begins_at: datetime
    ends_at: datetime
    good: int
    bad: int
    rows: Sequence[dict[str, Any]]


def note(octets: bytes) -> int:
    """Keep the reports in a message; return how many. Runs in a thread."""
    count = 0
    for part in _attachments(octets):
        try:
            found = read(part)
        except NoReport as error:
            log.info("a part of a report was not read: %s", error)
            continue
        count += gate.write_sync((), _keep, found)
    return count


def _keep(found: Read) -> bool:
    if not is_local_domain(found.domain):
        return False
    values = {name: getattr(found, name) for name in Read.__slots__}
    keys = {n: values.pop(n) for n in ("kind", "domain", "reporter", "report_id")}
    return ReceivedReport.objects.get_or_create(**keys, defaults=values)[1]


def _attachments(octets: bytes) -> Iterator[bytes]:
    """Yield the decoded parts that may be a report."""
    leaves = [part for part in parse(octets).root.walk() if not part.children]
    for part in leaves[:MOST_PARTS]:
        if part.type != "text" or part.subtype in {"xml", "json"}:
            yield decode_body(octets[slice(*part.body)], part.encoding)


def read(octets: bytes) -> Read:
    """Read a report, packed or not; raises NoReport."""
    plain = unpacked(octets)
    if plain[:1] == b"{" or plain.lstrip()[:1] == b"{":
        return read_tls(plain)
    return read_dmarc(plain)


def unpacked(octets: bytes) -> bytes:
    """Return what a gzip or zip file holds, or the octets; raises NoReport."""
    try:
        found = _unpacked(octets)
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise NoReport(f"it cannot be unpacked ({type(error).__name__})") from error
    except (NotImplementedError, RuntimeError) as error:  # a method zipfile lacks
        raise NoReport("it is packed in an unknown way") from error
    if len(found) > MOST_UNPACKED:
        raise NoReport("it is too big")
    return found


def _unpacked(octets: bytes) -> bytes:
    """Return one octet more than may be where there is more; raises all sorts."""
    if octets[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=io.BytesIO(octets)) as stream:
            return stream.read(MOST_UNPACKED + 1)
    if octets[:4] != b"PK\x03\x04":
        return octets[: MOST_UNPACKED + 1]
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        names = archive.infolist()[:1]
        if not names or names[0].flag_bits & 1:  # encrypted
            raise NoReport("the archive holds nothing that can be read")
        with archive.open(names[0]) as inner:
            return inner.read(MOST_UNPACKED + 1)


def read_tls(octets: bytes) -> Read:
    """Read a TLS report; raises NoReport. RFC 8460 §4.4."""
    try:
        found = json.loads(octets.decode("utf-8-sig"))
        dates = found["date-range"]
        policies = list(found["policies"])[:MOST_ROWS]
        rows = [_tls_row(policy) for policy in policies]
        domains = {row["domain"] for row in rows} or {""}
        return Read(
            kind="tls",
            domain=min(domains),
            reporter=_text(found["organization-name"]),
            report_id=_text(found["report-id"]),
            begins_at=_date(dates["start-datetime"]),
            ends_at=_date(dates["end-datetime"]),
            good=sum(row["good"] for row in rows),
            bad=sum(row["bad"] for row in rows),
            rows=rows,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NoReport(f"it is no TLS report ({type(error).__name__})") from error


def _tls_row(found: dict[str, Any]) -> dict[str, Any]:
    policy, summary = found["policy"], found["summary"]
    failures = list(found.get("failure-details") or [])[:100]
    return {
        "domain": _text(policy["policy-domain"]).lower(),
        "policy": _text(policy["policy-type"]),
        "good": _count(summary["total-successful-session-count"]),
        "bad": _count(summary["total-failure-session-count"]),
        "failures": [
            {
                "type": _text(one.get("result-type", "")),
                "host": _text(one.get("receiving-mx-hostname", "")),
                "from": _text(one.get("sending-mta-ip", "")),
                "count": _count(one.get("failed-session-count", 0)),
            }
            for one in failures
        ],
    }


def read_dmarc(octets: bytes) -> Read:
    """Read an aggregate report; raises NoReport. RFC 7489 Appendix C."""
    try:
        # As text, so that no other coding hides a DOCTYPE; entities make bombs.
        text = octets.decode("utf-8-sig")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise NoReport("it has a DOCTYPE")
        root = _plain(Xml.fromstring(text.partition("?>")[2] or text))  # noqa: S314
        metadata, published = (
            root.find("report_metadata"),
            root.find("policy_published"),
        )
        if metadata is None or published is None:
            raise NoReport("it is no aggregate report")
        rows = [_dmarc_row(record) for record in root.findall("record")[:MOST_ROWS]]
        return Read(
            kind="dmarc",
            domain=_find(published, "domain").lower(),
            reporter=_find(metadata, "org_name"),
            report_id=_find(metadata, "report_id"),
            begins_at=_epoch(_find(metadata, "date_range/begin")),
            ends_at=_epoch(_find(metadata, "date_range/end")),
            good=sum(row["count"] for row in rows if row["passed"]),
            bad=sum(row["count"] for row in rows if not row["passed"]),
            rows=rows,
        )
    except (ValueError, TypeError, OverflowError, OSError, Xml.ParseError) as error:
        raise NoReport(f"it is no aggregate report ({type(error).__name__})") from error


def _plain(root: Xml.Element) -> Xml.Element:
    """Take the namespaces off: some reporters use one."""
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    return root


def _dmarc_row(record: Xml.Element) -> dict[str, Any]:
    evaluated = "row/policy_evaluated/"
    dkim, spf = _find(record, evaluated + "dkim"), _find(record, evaluated + "spf")
    return {
        "address": _find(record, "row/source_ip"),
        "count": _count(_find(record, "row/count") or 0),
        "disposition": _find(record, evaluated + "disposition"),
        "dkim": dkim,
        "spf": spf,
        "passed": "pass" in {dkim, spf},
        "from": _find(record, "identifiers/header_from"),
        "envelope_from": _find(record, "identifiers/envelope_from"),
    }


def _find(element: Xml.Element, path: str) -> str:
    return _text((element.findtext(path) or "").strip())


def _text(value: object) -> str:
    return "".join(c for c in str(value)[:255] if c.isprintable())


def _count(value: object) -> int:
    if not isinstance(value, int | str):
        raise TypeError("not a number")
    return min(max(int(str(value)[:15]), 0), MOST_COUNT)


def _date(value: object) -> datetime:
    found = datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _epoch(value: str) -> datetime:
    return datetime.fromtimestamp(int(value[:12]), UTC)
