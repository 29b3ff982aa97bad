"""What was verified of a message is counted for the report to its author's domain."""

from typing import Any

import pytest

from mailhost.dnsauth.authentication import Authentication, Handover
from mailhost.dnsauth.dmarc import Dmarc
from mailhost.dnsauth.signatures import Signature
from mailhost.dnsauth.spf import Spf
from mailhost.outbound.models import DmarcRecord
from mailhost.screening.signals import screened
from mailhost.screening.values import Action, Incoming, Verdict
from mailhost.seen import seen_in
from mailhost.store.gate import gate

RECORD = {"v": "DMARC1", "p": "reject", "rua": "mailto:r@far.example", "aspf": "s"}


def origin(result: str, *signers: str, spf: str = "far.example") -> Authentication:
    return Authentication(
        Handover("192.0.2.7", "mx", "x@bounce.far.example"),
        spf=Spf("pass", spf),
        signatures=tuple(Signature("pass", one, "s1") for one in signers),
        dmarc=Dmarc(
            result,
            "far.example",
            "reject",
            "far.example",
            "far.example",
            RECORD,
        ),
    )


def test_alignment() -> None:
    found = seen_in(origin("pass", "news.far.example"), Action.ACCEPT)
    assert (found.dkim_aligned, found.spf_aligned) == (True, True)
    assert (found.disposition, found.reasons) == ("none", [])
    assert found.policy == {"p": "reject", "aspf": "s"}
    found = seen_in(origin("fail", "notfar.example", spf="b.far.example"), Action.JUNK)
    assert (found.dkim_aligned, found.spf_aligned) == (False, False)  # aspf=s
    assert found.disposition == "quarantine"
    assert found.reasons[0][0] == "local_policy"  # it was asked to be refused


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wanted", [True, False])
def test_what_is_screened_is_counted(settings: Any, wanted: Any) -> None:
    settings.MAILHOST_SEND_REPORTS = wanted
    about = origin("fail")
    incoming = Incoming(b"", "192.0.2.7", "mx", "", (), "host", about, None)  # type: ignore[arg-type]
    screened.send(
        sender=None,
        incoming=incoming,
        verdict=Verdict(Action.REFUSE, 0.0, (), about),
    )
    gate.stop()
    rows = list(DmarcRecord.objects.values_list("domain", "count", "row"))
    assert [(domain, count) for domain, count, _ in rows] == (
        [("far.example", 1)] if wanted else []
    )
    if wanted:
        assert rows[0][2]["disposition"] == "reject"
