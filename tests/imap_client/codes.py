"""Response codes and what may follow their names. RFC 9051 §7.1, RFC 5530 §3."""

from collections.abc import Callable
from typing import Any

from tests.imap_client.cursor import Cursor

Read = Callable[[Cursor], Any]

# RFC 9051 §7.1; 5530 §3; 7162 §7; 4978 §3; 6154 §3; 5464 §4.2; 5465 §5.8; 5255 §4;
# 5466 §3; 9586, 9738.
BARE = frozenset(
    b"ALERT PARSE READ-ONLY READ-WRITE TRYCREATE CLOSED NOMODSEQ UIDNOTSTICKY"
    b" UNKNOWN-CTE NOTSAVED HASCHILDREN EXPUNGEISSUED AUTHENTICATIONFAILED"
    b" AUTHORIZATIONFAILED EXPIRED PRIVACYREQUIRED CONTACTADMIN NOPERM INUSE CORRUPTION"
    b" SERVERBUG CLIENTBUG CANNOT LIMIT OVERQUOTA ALREADYEXISTS NONEXISTENT UNAVAILABLE"
    b" COMPRESSIONACTIVE USEATTR NOTIFICATIONOVERFLOW TEMPFAIL BADCOMPARATOR"
    b" UIDREQUIRED TOOBIG".split()
)


def _capability(c: Cursor) -> list[bytes]:
    names = [c.atom()]
    while c.takes(b" "):
        names.append(c.atom())
    return capabilities(c, names)


def capabilities(c: Cursor, names: list[bytes]) -> list[bytes]:
    """Check the names of a CAPABILITY. RFC 9051 §7.2.2."""
    if len({name.upper() for name in names}) != len(names):
        raise c.fail("capabilities that are named once")
    if not {b"IMAP4rev1", b"IMAP4rev2"} & set(names):
        raise c.fail("IMAP4rev1 or IMAP4rev2")
    return names


def _appenduid(c: Cursor) -> tuple[int, list[int]]:
    validity = c.nz_number()
    c.sp()
    return validity, c.uid_set()


def _copyuid(c: Cursor) -> tuple[int, list[int], list[int]]:
    validity = c.nz_number()
    c.sp()
    source = c.uid_set()
    c.sp()
    target = c.uid_set()
    if len(source) != len(target):
        raise c.fail("as many UIDs there as here")
    return validity, source, target


def _badcharset(c: Cursor) -> list[bytes]:
    return c.words(c.astring, empty=False) if c.takes(b" ") else []


def _inprogress(c: Cursor) -> tuple[bytes | None, int | None, int | None]:
    """RFC 9585: ("tag" done all), each may be NIL."""
    c.literally(b"(")
    tag = c.nstring()
    c.sp()
    done = None if c.nil() else c.number64()
    c.sp()
    most = None if c.nil() else c.number64()
    c.literally(b")")
    return tag, done, most


def _metadata(c: Cursor) -> bytes:
    name = c.atom()
    if name in {b"LONGENTRIES", b"MAXSIZE"}:
        c.sp()
        c.number64()
    elif name not in {b"TOOMANY", b"NOPRIVATE"}:
        raise c.fail("a METADATA code")
    return name


def _messagelimit(c: Cursor) -> tuple[int, int | None]:
    """RFC 9738: the limit, and the lowest UID that was handled."""
    most = c.nz_number()
    return most, c.nz_number() if c.takes(b" ") else None


EVENTS = frozenset(
    b"MessageNew MessageExpunge FlagChange AnnotationChange MailboxName"
    b" SubscriptionChange MailboxMetadataChange ServerMetadataChange".split()
)


def _badevent(c: Cursor) -> list[bytes]:
    """RFC 5465 §8: the events that there are, each once."""
    found = c.words(c.atom, empty=False)
    if not set(found) <= EVENTS or len(set(found)) < len(found):
        raise c.fail("the names of events")
    return found


def _url(c: Cursor) -> bytes:
    end = c.octets.find(b"]", c.at)
    octets = c.octets[c.at : end]
    if end < 0 or not octets or not octets.isascii() or min(octets) <= 32:
        raise c.fail("a URL")
    c.at = end
    return octets


def _urlmech(c: Cursor) -> bytes:
    found = c.atom()
    while c.takes(b" "):
        c.atom()
    return found


WITH_ARGUMENT: dict[bytes, Read] = {
    b"PERMANENTFLAGS": lambda c: c.flags(permanent=True),
    b"UIDNEXT": Cursor.nz_number,
    b"UIDVALIDITY": Cursor.nz_number,
    b"UNSEEN": Cursor.nz_number,
    b"HIGHESTMODSEQ": Cursor.mod_sequence,
    b"MODIFIED": Cursor.uid_set,
    b"APPENDUID": _appenduid,
    b"COPYUID": _copyuid,
    b"CAPABILITY": _capability,
    b"MAILBOXID": Cursor.object_id,
    b"INPROGRESS": _inprogress,
    b"METADATA": _metadata,
    b"MESSAGELIMIT": _messagelimit,
    b"BADEVENT": _badevent,
    b"BADURL": _url,
    b"REFERRAL": _url,
    b"URLMECH": _urlmech,
    b"NOUPDATE": Cursor.quoted,
    b"UNDEFINED-FILTER": Cursor.atom,
}


def response_code(c: Cursor) -> tuple[bytes, Any] | None:
    """Read `[code] `; None: there is none. Unknown names are Malformed."""
    if not c.takes(b"["):
        return None
    name = c.atom()
    value: Any = None
    if name == b"BADCHARSET":
        value = _badcharset(c)
    elif name == b"INPROGRESS" and c.next() == b"]":
        value = (None, None, None)
    elif name in WITH_ARGUMENT:
        c.sp()
        value = WITH_ARGUMENT[name](c)
    elif name not in BARE:
        raise c.fail("a known response code")
    c.literally(b"] ")
    return name, value
