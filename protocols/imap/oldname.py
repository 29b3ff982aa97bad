"""Names that are stored otherwise than they were sent: OLDNAME. RFC 9051 §6.3.9.7."""

from collections.abc import Sequence

from protocols.imap.names import written
from protocols.imap.session import Session


def real_name(given: str, inner: str, stored: str) -> str:
    """Return the full name: `inner` is what of `given` the account's folder has."""
    return given[: len(given) - len(inner)] + stored


def list_line(
    session: Session, name: str, attributes: Sequence[str], given: str
) -> str:
    """Write a LIST response; with OLDNAME where the client sent another name."""
    line = f'* LIST ({" ".join(attributes)}) "/" {written(session, name)}'
    if given != name:
        line += f' ("OLDNAME" ({written(session, given)}))'
    return line + "\r\n"


def renamed(
    session: Session, name: str, attributes: Sequence[str], given: str
) -> bytes:
    """Return the response where there is something to tell, else nothing.

    Only IMAP4rev2 has it: older clients take a LIST for an answer to theirs.
    """
    if not session.rev2 or given == name:
        return b""
    return list_line(session, name, attributes, given).encode()
