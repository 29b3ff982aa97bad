"""What was found about a message when it came, as it is kept with each recipient's.

The text is JSON that mailhost.screening writes (`Verdict.to_json`).
"""

import json
from dataclasses import dataclass
from typing import Any

from mailhost.mail.models import Arrival


def of_message(account_id: int, email_id: int) -> "Kept":
    """Return what was kept; nothing for what was never checked. Reads only."""
    rows = Arrival.objects.filter(account_id=account_id, email_id=email_id)
    return read(rows.values_list("verdict", flat=True).first() or "")


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept with a message, read again."""

    action: str = ""
    score: float = 0.0
    findings: tuple[tuple[str, float, str], ...] = ()
    results: tuple[tuple[str, str, str], ...] = ()  # method, result, comment
    author: str = ""  # the domain that readers see
    signers: tuple[str, ...] = ()
    dmarc: str = ""


def read(verdict: str) -> Kept:
    """Read what `Verdict.to_json` wrote; anything else is nothing."""
    try:
        return _read(json.loads(verdict or "{}"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return Kept()


def _read(kept: Any) -> Kept:
    results = tuple((str(m), str(r), str(c)) for m, r, _, c in kept.get("results", ()))
    return Kept(
        str(kept.get("action", "")),
        float(kept.get("score", 0)),
        tuple((str(c), float(s), str(r)) for c, s, r in kept.get("findings", ())),
        results,
        str(kept.get("from", "")),
        tuple(map(str, kept.get("signers", ()))),
        next((result for method, result, _ in results if method == "dmarc"), ""),
    )
