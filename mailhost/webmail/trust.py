"""What was found about a message when it came, in words for who reads it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from mailhost.store.verdict import Kept

MOST_REASONS = 20


@dataclass(frozen=True, slots=True)
class Trust:
    """A line above the text: `kind` is good, plain or warning."""

    kind: str
    text: str
    reasons: tuple[str, ...] = ()


def of(kept: Kept) -> list[Trust]:
    """Return the lines for a message; none for one that was never checked."""
    if not kept.action:
        return []
    found = [_origin(kept)]
    if kept.action == "junk":
        reasons = tuple(why for _name, score, why in kept.findings if score >= 0)
        text = _("Filed as junk when it came.")
        found.append(Trust("plain", text, reasons[:MOST_REASONS]))
    return found


def _origin(kept: Kept) -> Trust:
    names = {"author": kept.author or _("its author"), "signer": ""}
    if kept.dmarc == "fail":
        text = _("%(author)s does not vouch for this message: it may be forged.")
        return Trust("warning", text % names)
    if kept.signers:
        names["signer"] = ", ".join(kept.signers[:3])
        kind = "good" if kept.dmarc == "pass" else "plain"
        return Trust(kind, _("Signed by %(signer)s.") % names)
    if kept.dmarc == "pass":
        return Trust("good", _("Sent by a server of %(author)s.") % names)
    return Trust("plain", _("Nothing proves that it comes from %(author)s.") % names)
