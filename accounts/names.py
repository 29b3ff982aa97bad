"""E-mail addresses as they are compared: pure functions."""

import re
import unicodedata

QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def split_address(address: str) -> tuple[str, str]:
    """Return (local part, domain), both folded; the domain as A-labels.

    The quotes of a quoted local part go: `"alice"` and `alice` are one mailbox
    (RFC 5321 §4.1.2). Without an @ the domain is empty.
    """
    address = storable(address)
    if "@" not in address:
        return fold_local(address), ""
    local, _, domain = address.strip().rpartition("@")
    return fold_local(local), fold_domain(domain)


def fold_local(local_part: str) -> str:
    """Fold case and composition of a local part, and take its quotes away."""
    quoted = QUOTED.fullmatch(local_part)
    if quoted:
        local_part = re.sub(r"\\(.)", r"\1", quoted[1])
    return unicodedata.normalize("NFC", local_part.casefold())


def fold_domain(domain: str) -> str:
    """Return a domain as lower-case A-labels; unchanged where that is impossible."""
    domain = domain.strip().rstrip(".").lower()
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return domain


def domain_for_people(domain: str) -> str:
    """Return a domain as U-labels; unchanged where it is not an A-label."""
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


def storable(text: str) -> str:
    """Replace what no database takes: NUL and lone surrogates. It then finds nobody."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")
