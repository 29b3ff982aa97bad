"""The reports of yesterday, to the domains that ask for them: TLS and DMARC.

Each is a row of ReportRun first, made by one runner alone: it is sent once, or, if that
runner dies in between, not at all.
"""

import asyncio
import gzip
import logging
import secrets
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from mailhost import fetch
from mailhost.outbound import dmarcrpt, queue, resolver, signing, tlsrpt
from mailhost.outbound.models import DmarcRecord, ReportRun, TlsOutcome
from mailhost.outbound.resolver import NoAnswer
from mailhost.outbound.values import Envelope, Recipient
from mailhost.store.gate import gate

log = logging.getLogger(__name__)

KEEP = timedelta(days=8)
MOST_OCTETS = 10_000_000  # of a report, packed
PAUSE_SECONDS = 0.2  # between reports: nobody waits for them


@dataclass(frozen=True, slots=True)
class _Made:
    """A report, packed, and its name."""

    kind: str  # tls or dmarc
    day: date
    domain: str
    identity: str
    packed: bytes

    @property
    def file(self) -> str:
        """The name RFC 8460 §5.1 and RFC 7489 §7.2.1.1 give it."""
        start = int(datetime.combine(self.day, time(), UTC).timestamp())
        ending = "json.gz" if self.kind == "tls" else "xml.gz"
        host = settings.MAILHOST_HOSTNAME
        return f"{host}!{self.domain}!{start}!{start + 86399}!001.{ending}"

    @property
    def media_type(self) -> str:
        """What the packed octets are."""
        return "application/tlsrpt+gzip" if self.kind == "tls" else "application/gzip"


def send() -> None:
    """Do as `run`; the job of a thread."""
    asyncio.run(run())


async def run() -> None:
    """Send what is due, and forget what is old."""
    day = timezone.now().astimezone(UTC).date() - timedelta(days=1)
    if settings.MAILHOST_SEND_REPORTS:
        for domain in await gate.read(tlsrpt.domains_of, day):
            await _send("tls", day, domain)
        for domain in await gate.read(dmarcrpt.domains_of, day):
            await _send("dmarc", day, domain)
    await gate.write((), _forget, day)


def _forget(day: date) -> None:
    old = day - KEEP
    TlsOutcome.objects.filter(day__lt=old).delete()
    DmarcRecord.objects.filter(day__lt=old).delete()
    ReportRun.objects.filter(day__lt=old).delete()


def _begun(kind: str, day: date, domain: str) -> bool:
    return ReportRun.objects.filter(kind=kind, day=day, domain=domain).exists()


def _begin(kind: str, day: date, domain: str) -> bool:
    """Take a report on; tell whether nobody else has."""
    try:
        with transaction.atomic():
            ReportRun.objects.create(kind=kind, day=day, domain=domain)
    except IntegrityError:
        return False
    return True


def _end(kind: str, day: date, domain: str, outcome: str) -> None:
    rows = ReportRun.objects.filter(kind=kind, day=day, domain=domain)
    rows.update(outcome=outcome[:300])


async def _send(kind: str, day: date, domain: str) -> None:
    if await gate.read(_begun, kind, day, domain):
        return
    try:
        targets = await _targets(kind, day, domain)
    except NoAnswer:
        return  # asked again in a while
    if not await gate.write((), _begin, kind, day, domain):
        return
    outcome = "nobody asks for it"
    if targets:
        outcome = await _told(await gate.read(_make, kind, day, domain), targets)
        await asyncio.sleep(PAUSE_SECONDS)
    await gate.write((), _end, kind, day, domain, outcome)


def _make(kind: str, day: date, domain: str) -> _Made:
    host = settings.MAILHOST_HOSTNAME
    module = tlsrpt if kind == "tls" else dmarcrpt
    identity, octets = module.report(day, domain, host, f"postmaster@{host}")
    return _Made(kind, day, domain, identity, gzip.compress(octets, mtime=0))


async def _targets(kind: str, day: date, domain: str) -> list[str]:
    if kind == "tls":
        return tlsrpt.addresses_in(await resolver.texts(f"_smtp._tls.{domain}"))
    text = await gate.read(_report_to, day, domain)
    found = []
    for address, _most in dmarcrpt.addresses_in(text):
        if await _agrees(domain, address.rpartition("@")[2].lower()):
            found.append(f"mailto:{address}")
    return found


def _report_to(day: date, domain: str) -> str:
    rows = DmarcRecord.objects.filter(day=day, domain=domain).order_by("-pk")
    return rows.values_list("report_to", flat=True).first() or ""


async def _agrees(domain: str, other: str) -> bool:
    """Tell whether another domain wants reports about this one. RFC 7489 §7.1."""
    if other == domain or other.endswith("." + domain) or domain.endswith("." + other):
        return True
    records = await resolver.texts(f"{domain}._report._dmarc.{other}")
    return any(r.replace(" ", "").startswith("v=DMARC1") for r in records)


async def _told(made: _Made, targets: Sequence[str]) -> str:
    """Send to each target; return what came of it, for people."""
    if len(made.packed) > MOST_OCTETS:
        return "too big to be sent"
    said = []
    for url in targets:
        if url.lower().startswith("mailto:"):
            address = url[7:].partition("?")[0]
            await _mailed(made, address)
            said.append(f"{address}: queued")
        elif url.lower().startswith("https:") and made.kind == "tls":
            said.append(f"{url[:100]}: {await _posted(made, url)}")
    return "; ".join(said)


async def _posted(made: _Made, url: str) -> str:
    try:
        answer = await fetch.post(
            url,
            made.packed,
            content_type=made.media_type,
            most_octets=65_536,
            seconds=60,
        )
    except fetch.Failed as error:
        return str(error)
    return str(answer.status)


async def _mailed(made: _Made, address: str) -> None:
    sender = f"postmaster@{settings.MAILHOST_HOSTNAME}"
    octets = await gate.read(signing.signed, _message(made, sender, address), sender)
    # From the null sender nothing comes back: reports are never answered by bounces.
    envelope = Envelope("", (Recipient(address, notify="NEVER"),))
    await gate.write((), queue.enqueue, octets, envelope)


def _message(made: _Made, sender: str, address: str) -> bytes:
    host, boundary = settings.MAILHOST_HOSTNAME, secrets.token_hex(16)
    subject = (
        f"Report Domain: {made.domain} Submitter: {host} Report-ID: <{made.identity}>"
    )
    lines = [
        f"From: {sender}",
        f"To: {address}",
        f"Subject: {subject}",
        f"Date: {format_datetime(timezone.now())}",
        f"Message-ID: <{secrets.token_hex(16)}@{host}>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ]
    if made.kind == "tls":  # RFC 8460 §5.3
        lines += [f"TLS-Report-Domain: {made.domain}", f"TLS-Report-Submitter: {host}"]
        kind = "multipart/report; report-type=tlsrpt"
    else:
        kind = "multipart/mixed"
    words = f"This is the report of {made.day:%Y-%m-%d} on {made.domain} by {host}."
    lines += [
        f'Content-Type: {kind};\r\n\tboundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=utf-8",
        "",
        words,
        f"--{boundary}",
        f'Content-Type: {made.media_type}; name="{made.file}"',
        "Content-Transfer-Encoding: base64",
        f'Content-Disposition: attachment; filename="{made.file}"',
        "",
        encodebytes(made.packed).decode().replace("\n", "\r\n").rstrip(),
        f"--{boundary}--",
        "",
    ]
    return "\r\n".join(lines).encode()
