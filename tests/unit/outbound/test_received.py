"""Reports of others on our mail: read, bounded, kept once; hostile ones forgotten."""

import gzip
import io
import json
import zipfile
from base64 import encodebytes
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from mailhost.delivery import deliver
from mailhost.outbound import daily, dmarcrpt, received, tlsrpt
from mailhost.outbound.dmarcrpt import DmarcSeen, record_dmarc
from mailhost.outbound.models import (
    DmarcRecord,
    QueueMessage,
    QueueRecipient,
    ReceivedReport,
    ReportRun,
    TlsOutcome,
)
from mailhost.outbound.received import NoReport, read
from mailhost.outbound.values import TlsSession
from mailhost.store.gate import gate
from tests.world.dns import dns_server

pytestmark = pytest.mark.django_db(transaction=True)

DMARC = b"""<?xml version="1.0" encoding="UTF-8"?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
 <report_metadata><org_name>big.example</org_name><email>x@big.example</email>
  <report_id>77</report_id>
  <date_range><begin>1764000000</begin><end>1764086399</end></date_range>
 </report_metadata>
 <policy_published><domain>example.test</domain><p>none</p></policy_published>
 <record><row><source_ip>192.0.2.1</source_ip><count>5</count>
  <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf>
  </policy_evaluated></row>
  <identifiers><header_from>example.test</header_from></identifiers></record>
 <record><row><source_ip>192.0.2.66</source_ip><count>2</count>
  <policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf>
  </policy_evaluated></row>
  <identifiers><header_from>example.test</header_from></identifiers></record>
</feedback>"""
TLS = json.dumps(
    {
        "organization-name": "big.example",
        "date-range": {
            "start-datetime": "2026-11-23T00:00:00Z",
            "end-datetime": "2026-11-23T23:59:59Z",
        },
        "contact-info": "x",
        "report-id": "t1",
        "policies": [
            {
                "policy": {"policy-type": "sts", "policy-domain": "example.test"},
                "summary": {
                    "total-successful-session-count": 9,
                    "total-failure-session-count": 1,
                },
                "failure-details": [
                    {"result-type": "certificate-expired", "failed-session-count": 1}
                ],
            }
        ],
    }
).encode()


def zipped(octets: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.xml", octets)
    return made.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped])
def test_aggregate_reports(pack: Any) -> None:
    found = read(pack(DMARC))
    assert (found.kind, found.domain, found.reporter) == (
        *("dmarc", "example.test", "big.example"),
    )
    assert (found.good, found.bad) == (5, 2)
    assert [row["address"] for row in found.rows] == ["192.0.2.1", "192.0.2.66"]


def test_tls_reports() -> None:
    found = read(gzip.compress(TLS))
    assert (found.kind, found.good, found.bad) == ("tls", 9, 1)
    assert found.rows[0]["failures"][0]["type"] == "certificate-expired"


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><feedback>&b;</feedback>"""


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"hello",
        b"<feedback/>",
        BOMB,
        BOMB.decode().encode("utf-16"),
        gzip.compress(b"\0" * (received.MOST_UNPACKED + 1)),
        zipped(b"\0" * (received.MOST_UNPACKED + 1)),
        gzip.compress(DMARC)[:-20],
        zipped(DMARC)[:-30],
        b"PK\x03\x04" + b"\0" * 100,
        DMARC.replace(b"1764000000", b"9" * 400),
        DMARC.replace(b"<count>5", b"<count>five"),
        b'{"policies": 7}',
        b"[" * 100_000,
        b"{" + b'"a":{' * 100_000,
        TLS.replace(b"2026-11-23T00", b"yesterday"),
        TLS.replace(b": 9", b": [9]"),
        b"<a>" * 100_000,
    ],
)
def test_what_is_no_report(octets: bytes) -> None:
    with pytest.raises(NoReport):
        read(octets)


def test_numbers_and_texts_are_bounded() -> None:
    found = read(DMARC.replace(b"<count>5", b"<count>-" + b"9" * 300))
    assert found.good == 0
    found = read(DMARC.replace(b"big.example<", b"x" * 9000 + b"<"))
    assert len(found.reporter) == 255


def letter(octets: bytes) -> bytes:
    return (
        (
            b"From: x@big.example\r\nSubject: Report\r\nMIME-Version: 1.0\r\n"
            b'Content-Type: application/gzip; name="r.xml.gz"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n" + encodebytes(octets)
        )
        .replace(b"\r\n", b"\n")
        .replace(b"\n", b"\r\n")
    )


@pytest.mark.engines
async def test_mail_to_the_address_for_reports(alice: Any) -> None:
    to = "MailReports@example.test"
    for _ in range(2):
        said = await deliver(
            letter(gzip.compress(DMARC)), mail_from="x@big.example", recipients=[to]
        )
        assert said[to].is_accepted
    row = await ReceivedReport.objects.aget()
    assert (row.domain, row.good, row.bad) == ("example.test", 5, 2)
    # One on a domain that is not ours is nothing to us.
    other = DMARC.replace(b"example.test", b"far.example")
    await deliver(letter(gzip.compress(other)), mail_from="", recipients=[to])
    assert await ReceivedReport.objects.acount() == 1
    await gate.close()


def test_a_page_to_read(alice: Any, admin_user: User) -> None:
    hostile = DMARC.replace(b"192.0.2.66", b"&lt;script&gt;")
    received.note(letter(gzip.compress(hostile)))
    received.note(letter(gzip.compress(TLS)))
    gate.stop()
    client = Client()
    client.force_login(admin_user)
    pages = [
        client.get(f"/admin/outbound/receivedreport/{row.pk}/change/").content.decode()
        for row in ReceivedReport.objects.order_by("kind")
    ]
    assert "192.0.2.1" in pages[0]
    assert "<script>" not in pages[0].split("<table>")[1]
    assert pages[0].index("&lt;script&gt;") < pages[0].index("192.0.2.1")
    assert "certificate-expired" in pages[1]


SEEN = DmarcSeen(
    source_ip="192.0.2.7",
    header_from="far.example",
    policy_domain="far.example",
    report_to="mailto:r@far.example,mailto:r@third.example!10m",
    policy={"p": "reject", "adkim": "r", "aspf": "r", "pct": "100"},
    disposition="none",
    dkim_aligned=True,
    spf_aligned=False,
    envelope_from="bounce.far.example",
    spf="pass",
    dkim=[("far.example", "s1", "pass")],
)
YESTERDAY = date.today() - timedelta(days=1)  # noqa: DTZ011


def test_what_was_seen_becomes_a_report_that_we_can_read() -> None:
    for _ in range(3):
        record_dmarc(SEEN)
    row = DmarcRecord.objects.get()
    assert row.count == 3
    _id, octets = dmarcrpt.report(row.day, "far.example", "mail.example.test", "p@x")
    found = read(octets)
    assert (found.domain, found.reporter) == ("far.example", "mail.example.test")
    assert (found.good, found.bad) == (3, 0)
    assert found.rows[0]["envelope_from"] == "bounce.far.example"
    assert found.begins_at == datetime.combine(row.day, datetime.min.time(), UTC)
    assert dmarcrpt.addresses_in(row.report_to) == [
        *(("r@far.example", 0), ("r@third.example", 10 << 20)),
    ]


@pytest.mark.engines
def test_tls_outcomes_become_a_report_that_we_can_read() -> None:
    good = TlsSession("sts", (("policy-string", ("version: STSv1",)),))
    bad = TlsSession("sts", (), "certificate-expired", "mx.far.example", "192.0.2.1")
    tlsrpt.count("far.example", [good, good, bad])
    day = TlsOutcome.objects.earliest("pk").day
    _id, octets = tlsrpt.report(day, "far.example", "mail.example.test", "x")
    found = read(octets)
    assert (found.good, found.bad) == (2, 1)
    assert found.rows[0]["failures"][0]["host"] == "mx.far.example"


@pytest.mark.engines
async def test_yesterdays_reports_are_sent_once(alice: Any, settings: Any) -> None:
    settings.MAILHOST_SEND_REPORTS = True
    await gate.write((), record_dmarc, SEEN)
    await gate.write((), tlsrpt.count, "far.example", [TlsSession("sts")])
    await gate.write((), tlsrpt.count, "quiet.example", [TlsSession("sts")])
    await DmarcRecord.objects.aupdate(day=YESTERDAY)
    await TlsOutcome.objects.aupdate(day=YESTERDAY)
    zone: Any = {
        "_smtp._tls.far.example": {"TXT": "v=TLSRPTv1; rua=mailto:tls@far.example"},
        # third.example does not agree to hear of far.example (RFC 7489 §7.1).
    }
    with dns_server(zone) as world:
        settings.MAILHOST_DNS_SERVERS = [world.server]
        for _ in range(2):
            await daily.run()
    rows = QueueRecipient.objects.order_by("address")
    assert [row.address async for row in rows] == ["r@far.example", "tls@far.example"]
    runs = {(r.kind, r.domain): r.outcome async for r in ReportRun.objects.all()}
    assert runs == {
        ("dmarc", "far.example"): "r@far.example: queued",
        ("tls", "far.example"): "tls@far.example: queued",
        ("tls", "quiet.example"): "nobody asks for it",
    }
    for row in [row async for row in QueueMessage.objects.all()]:
        assert row.mail_from == ""
        parts = [*received._attachments(bytes(row.octets))]
        assert read(parts[-1]).domain == "far.example"
    await gate.close()


async def test_none_are_sent_unless_wanted(settings: Any) -> None:
    await gate.write((), record_dmarc, SEEN)
    await DmarcRecord.objects.aupdate(day=YESTERDAY)
    await daily.run()
    assert not await QueueMessage.objects.aexists()
    await gate.close()
