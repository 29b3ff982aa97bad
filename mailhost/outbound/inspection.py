"""A domain as the world sees it: what is published, what answers, what to fix.

Each check looks at one topic and returns findings; none raises. What DNS does not say
now is unknown, not wrong.
"""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from django.conf import settings

from mailhost.autoconfig import servers as autoconfig
from mailhost.dnsauth import iprev
from mailhost.dnsauth.resolver import resolver as shared
from mailhost.outbound import dane, dkimkeys, resolver, tlsrpt
from mailhost.outbound.dane import NoMatch, Tlsa
from mailhost.outbound.findings import (
    BAD,
    GOOD,
    UNKNOWN,
    WEAK,
    Check,
    Finding,
    Subject,
)
from mailhost.outbound.inspecting import Shown, shown_by
from mailhost.outbound.inspectionhost import names, way_out
from mailhost.outbound.inspectionspf import helo_name, spf_record
from mailhost.outbound.inspectionsts import issued, mta_sts
from mailhost.outbound.models import DkimKey
from mailhost.outbound.resolver import NoAnswer, NoSuchName
from mailhost.store.gate import gate

SOON = timedelta(days=14)


async def inspect(domain: str) -> list[Finding]:
    """Return all findings on a domain."""
    about = Subject(domain, settings.MAILHOST_HOSTNAME)
    found: list[Finding] = []
    for check in CHECKS:
        topic = check.__name__.replace("_", " ").strip()
        try:
            found += await check(about)
        except NoAnswer as error:
            found.append(Finding(topic, UNKNOWN, f"{error}.", "Try again later."))
    return found


async def mx(about: Subject) -> list[Finding]:
    """Mail for the domain leads here."""
    wanted = f"{about.domain}. IN MX 10 {about.host}."
    try:
        answer = await resolver.find(about.domain, "MX")
    except NoSuchName:
        text = f"The domain {about.domain} does not exist in DNS."
        return [Finding("MX", BAD, text, "Register it, or correct the spelling.")]
    rows = sorted(
        (r.preference, str(r.exchange).rstrip(".").lower()) for r in answer.rows
    )
    about.hosts = [name for _, name in rows if name]
    try:
        about.addresses, _secure = await resolver.addresses(about.host)
    except NoAnswer:
        about.addresses = []
    if not rows:
        return [Finding("MX", BAD, "There is no MX record.", f"Publish: {wanted}")]
    if about.host not in about.hosts:
        text = (
            f"The MX records name {', '.join(about.hosts) or 'nobody'}, not this host."
        )
        return [Finding("MX", BAD, text, f"Publish: {wanted}")]
    found = [Finding("MX", GOOD, f"Mail leads to {', '.join(about.hosts)}.")]
    if not about.addresses:
        text = f"{about.host} has no address."
        fix = f"Publish an A record (and AAAA) for {about.host}."
        found.append(Finding("MX", BAD, text, fix))
    return found


async def dkim_keys(about: Subject) -> list[Finding]:
    """The keys that sign are published, the next ones too."""
    keys = await gate.read(dkimkeys.keys_of, about.domain)
    make = f"Run: manage.py dkim {about.domain}"
    if not any(key.phase == DkimKey.Phase.ACTIVE for key in keys):
        return [Finding("DKIM", BAD, "There is no key: mail goes unsigned.", make)]
    missing = await dkimkeys.unpublished(keys)
    found = []
    for key in missing:
        name, text = dkimkeys.record(key)
        signs = key.phase == DkimKey.Phase.ACTIVE
        verdict = BAD if signs else WEAK
        what = "signs, and is not published" if signs else "is not published yet"
        fix = f'Publish: {name}. IN TXT "{text}"'
        found.append(Finding("DKIM", verdict, f"The key {name} {what}.", fix))
    good = f"{len(keys)} keys are published."
    return found or [Finding("DKIM", GOOD, good)]


async def dmarc(about: Subject) -> list[Finding]:
    """The domain says what to do with forged mail. RFC 7489."""
    name = f"_dmarc.{about.domain}"
    rua = f"rua=mailto:{settings.MAILHOST_REPORT_LOCAL_PART}@{about.domain}"
    records = [
        r for r in await resolver.texts(name) if r.lower().startswith("v=dmarc1")
    ]
    advice = f'Publish: {name}. IN TXT "v=DMARC1; p=none; {rua}"'
    if len(records) != 1:
        text = "There is no DMARC record." if not records else "There is more than one."
        return [Finding("DMARC", BAD, text, advice)]
    pairs = (piece.partition("=") for piece in records[0].split(";"))
    tags = {name.strip().lower(): value.strip() for name, _, value in pairs}
    found = [Finding("DMARC", GOOD, f"The record is {records[0]}")]
    if tags.get("p", "").lower() not in {"quarantine", "reject"}:
        text = "The policy asks for nothing to be done with forged mail."
        fix = "When the reports show that your own mail passes, say p=quarantine."
        found = [Finding("DMARC", WEAK, text, fix)]
    if "rua" not in tags:
        found.append(Finding("DMARC", WEAK, "Nobody gets reports.", f"Add {rua}"))
    return found


async def tls_reports(about: Subject) -> list[Finding]:
    """Others tell us where TLS fails. RFC 8460."""
    name = f"_smtp._tls.{about.domain}"
    to = f"{settings.MAILHOST_REPORT_LOCAL_PART}@{about.domain}"
    if tlsrpt.addresses_in(await resolver.texts(name)):
        return [Finding("TLSRPT", GOOD, "Reports on TLS are asked for.")]
    fix = f'Publish: {name}. IN TXT "v=TLSRPTv1; rua=mailto:{to}"'
    return [Finding("TLSRPT", WEAK, "Nobody is asked for reports on TLS.", fix)]


async def port_25(about: Subject) -> list[Finding]:
    """Each MX answers, with TLS and a certificate for its name."""
    found = []
    for host in about.hosts:
        try:
            shown = await shown_by(host)
        except NoAnswer as error:
            found.append(Finding("port 25", UNKNOWN, f"{error}."))
            continue
        about.shown[host] = shown
        found += _port(host, shown) + _certificate(host, shown)
    return found


def _port(host: str, shown: Shown) -> list[Finding]:
    if shown.error:
        text = f"{host} does not answer: {shown.error}."
        fix = "Open port 25 in firewalls and at the provider; is the server running?"
        return [Finding("port 25", BAD, text, fix)]
    if shown.certificate is None:
        text = f"{host} offers no TLS."
        return [Finding("port 25", BAD, text, "Set MAILHOST_CERTIFICATE.")]
    text = f"{host} answers as {shown.name}, with {shown.version}."
    return [Finding("port 25", GOOD, text + " (Asked from this machine.)")]


def _certificate(host: str, shown: Shown) -> list[Finding]:
    if shown.certificate is None:
        return []
    certificate = x509.load_der_x509_certificate(shown.certificate)
    ends = certificate.not_valid_after_utc
    renew = f"Get a certificate of a public authority for {host}."
    if shown.distrust:
        text = f"The certificate of {host} is not trusted: {shown.distrust}."
        return [Finding("certificate", WEAK, text, renew)]
    if ends - datetime.now(UTC) < SOON:
        text = f"The certificate of {host} ends on {ends:%Y-%m-%d}."
        return [Finding("certificate", BAD, text, "Renew it.")]
    text = f"The certificate of {host} is good until {ends:%Y-%m-%d}."
    return [Finding("certificate", GOOD, text)]


async def tlsa_records(about: Subject) -> list[Finding]:
    """TLSA records, if there are some, name the certificate that is shown. RFC 7672."""
    found = []
    for host, shown in about.shown.items():
        try:
            name = f"_{settings.MAILHOST_OUTBOUND_PORT}._tcp.{host}"
            answer = await resolver.find(name, "TLSA")
        except NoSuchName:
            continue
        rows = [Tlsa(r.usage, r.selector, r.mtype, bytes(r.cert)) for r in answer.rows]
        if rows and shown.certificate is not None:
            found.append(_dane(host, shown, rows, is_secure=answer.is_secure))
    text = "There are no TLSA records: nothing proves our certificate by DNSSEC."
    fix = "Where DNSSEC signs the zone, publish: " + _tlsa_wanted(about)
    return found or [Finding("DANE", WEAK, text, fix)]


def _tlsa_wanted(about: Subject) -> str:
    """Return the records of the keys that were shown. RFC 7672 §3.1.."""
    shown = {h: s.certificate for h, s in about.shown.items() if s.certificate}
    records = [
        f"_25._tcp.{host}. IN TLSA 3 1 1 {dane.key_digest(certificate)}"
        for host, certificate in shown.items()
    ]
    return "; ".join(records) or "TLSA records (docs/deliverability.md)"


def _dane(host: str, shown: Shown, rows: Sequence[Tlsa], *, is_secure: bool) -> Finding:
    assert shown.certificate is not None
    names = (host,)
    try:
        usage = dane.verify(dane.usable(rows), names, shown.certificate, shown.chain)
    except NoMatch as error:
        text = f"{host}: {error}. Who believes DNSSEC sends us nothing."
        return Finding("DANE", BAD, text, "Publish the new record, or take it away.")
    if not is_secure:
        text = f"{host}: the record matches ({usage}); whether it is signed is unknown."
        fix = "Ask a validating resolver (MAILHOST_DNS_TRUSTED)."
        return Finding("DANE", UNKNOWN, text, fix)
    return Finding("DANE", GOOD, f"{host}: the record matches ({usage}).")


async def client_records(about: Subject) -> list[Finding]:
    """Mail programs find the servers by the address alone. RFC 6186."""
    missing = []
    for line in autoconfig.records(about.domain):
        name, _, wanted = line.partition(". IN SRV ")
        try:
            rows = (await resolver.find(name, "SRV")).rows
        except NoSuchName:
            rows = ()
        hosts = {f"{row.port} {str(row.target).rstrip('.').lower()}." for row in rows}
        if wanted.endswith(" .") or wanted.split(" ", 2)[2] in hosts:
            continue
        missing.append(line)
    if missing:
        text = "Mail programs find no SRV records to configure themselves by."
        return [Finding("SRV", WEAK, text, f"Publish: {'; '.join(missing)}")]
    return [Finding("SRV", GOOD, "Mail programs find their servers.")]


async def reverse_names(about: Subject) -> list[Finding]:
    """Our addresses have names that lead back to them."""
    found = []
    for address in about.addresses:
        result = await iprev.check(address, shared().ask)
        if result.result == "temperror":
            found.append(Finding("PTR", UNKNOWN, f"{result.reason}."))
        elif result.result != "pass":
            text = f"{address}: {result.reason or 'it has no name'}."
            fix = f"Ask the provider to set its reverse name (PTR) to {about.host}."
            found.append(Finding("PTR", BAD, text, fix))
        elif result.name.rstrip(".") != about.host:
            text = f"{address} is called {result.name}, this host {about.host}."
            found.append(Finding("PTR", WEAK, text, "Best, both names are one."))
        else:
            found.append(Finding("PTR", GOOD, f"{address} is called {result.name}."))
    return found


async def block_lists(about: Subject) -> list[Finding]:
    """Our addresses are not on lists that others refuse mail by."""
    listed, unknown = [], []
    for address in about.addresses:
        ip = ipaddress.ip_address(address)
        labels = ip.reverse_pointer.rsplit(".", 2)[0]
        for zone in settings.MAILHOST_CHECK_BLOCKLISTS:
            try:
                rows = (await resolver.find(f"{labels}.{zone}", "A")).rows
            except NoSuchName:
                continue
            except NoAnswer:
                unknown.append(zone)
                continue
            # 127.255.255.x: the list does not answer whom we asked (an open resolver).
            told = [str(row) for row in rows]
            if any(t.startswith("127.") and t[:8] != "127.255." for t in told):
                listed.append(f"{address} on {zone}")
            elif told:
                unknown.append(zone)
    if listed:
        text = f"Listed: {', '.join(listed)}."
        fix = "Find out why, end it, and ask the list to take the address off."
        return [Finding("block lists", BAD, text, fix)]
    if unknown:
        text = f"No answer for us from {', '.join(sorted(set(unknown)))}."
        return [Finding("block lists", UNKNOWN, text)]
    return [Finding("block lists", GOOD, "Our addresses are on none that was asked.")]


__all__ = ["CHECKS", "Finding", "inspect"]

CHECKS: Sequence[Check] = (
    *(names, mx, spf_record, helo_name, dkim_keys, dmarc, mta_sts, tls_reports),
    *(port_25, issued, tlsa_records, reverse_names, block_lists, way_out),
    client_records,
)
