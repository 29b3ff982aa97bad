"""What answers LIST, STATUS, NAMESPACE, ACL, QUOTA, METADATA and their kin."""

from collections.abc import Callable
from typing import Any

from tests.imap_client.cursor import Cursor

# RFC 9051 §7.3.1, RFC 6154 §2, RFC 8457; XLIST's own.
ATTRIBUTES = frozenset(
    rb"\Noinferiors \Noselect \Marked \Unmarked \NonExistent \HasChildren"
    rb" \HasNoChildren \Subscribed \Remote \All \Archive \Drafts \Flagged \Junk \Sent"
    rb" \Trash \Important \Inbox \Spam \AllMail \Starred \NoAccess".lower().split()
)
TOGETHER_NEVER = (
    {b"\\haschildren", b"\\hasnochildren"},
    {b"\\marked", b"\\unmarked"},
    {b"\\haschildren", b"\\noinferiors"},
)
RIGHTS = frozenset(b"lrswipkxteacdn0123456789")


def listed(c: Cursor) -> dict[str, Any]:
    """Read (attributes) separator name [extended]. RFC 9051 §7.3.1, RFC 5258 §6."""
    c.sp()
    attributes = [word.lower() for word in c.words(c.flag)]
    known = set(attributes)
    if not known <= ATTRIBUTES or len(known) < len(attributes):
        raise c.fail("known attributes, each once")
    if any(pair <= known for pair in TOGETHER_NEVER):
        raise c.fail("attributes that do not exclude each other")
    c.sp()
    separator = None if c.nil() else c.quoted()
    if separator is not None and len(separator) != 1:
        raise c.fail("a separator of one character")
    c.sp()
    name = c.mailbox()
    found: dict[str, Any] = {"attributes": known, "separator": separator, "name": name}
    if c.takes(b" "):
        found["extended"] = dict(c.words(lambda: _extended(c), empty=False))
    return found


def _extended(c: Cursor) -> tuple[bytes, Any]:
    tag = c.astring()
    c.sp()
    if tag == b"CHILDINFO":
        return tag, c.words(c.quoted, empty=False)
    if tag == b"OLDNAME":
        c.literally(b"(")
        name = c.mailbox()
        c.literally(b")")
        return tag, name
    raise c.fail("known data of a LIST")


STATUS: dict[bytes, Callable[[Cursor], Any]] = {
    b"MESSAGES": Cursor.number,
    b"RECENT": Cursor.number,
    b"UIDNEXT": Cursor.nz_number,
    b"UIDVALIDITY": Cursor.nz_number,
    b"UNSEEN": Cursor.number,
    b"DELETED": Cursor.number,
    b"SIZE": Cursor.number64,
    b"DELETED-STORAGE": Cursor.number64,
    b"HIGHESTMODSEQ": Cursor.number64,
    b"MAILBOXID": Cursor.object_id,
    b"APPENDLIMIT": lambda c: None if c.nil() else c.number(),
}


def status_items(c: Cursor) -> tuple[str, dict[str, Any]]:
    """Read name (item value …). RFC 9051 §7.3.4."""
    c.sp()
    name = c.mailbox()
    c.sp()

    def one() -> tuple[str, Any]:
        item = c.atom()
        if item not in STATUS:
            raise c.fail("a known item of STATUS")
        c.sp()
        return item.decode(), STATUS[item](c)

    pairs = c.words(one)
    if len(dict(pairs)) != len(pairs):
        raise c.fail("each item once")
    return name, dict(pairs)


def namespaces(c: Cursor) -> list[Any]:
    """Read personal, others', shared. RFC 9051 §7.3.3."""
    found = []
    for _ in range(3):
        c.sp()
        found.append(
            [] if c.nil() else c.words(lambda: _space(c), empty=False, sep=b"")
        )
    return found


def _space(c: Cursor) -> tuple[bytes, bytes | None]:
    c.literally(b"(")
    prefix = c.string()
    c.sp()
    separator = None if c.nil() else c.quoted()
    if c.takes(b' "TRANSLATION" ('):  # RFC 5255 §3.5
        c.string()
        c.literally(b")")
    c.literally(b")")
    return prefix, separator


def identity(c: Cursor) -> dict[bytes, bytes | None]:
    """Read NIL or pairs. RFC 2971 §3.2, §3.3: names of 30 octets, values of 1024."""
    c.sp()
    if c.nil():
        return {}

    def pair() -> tuple[bytes, bytes | None]:
        name = c.string()
        c.sp()
        value = c.nstring()
        if len(name) > 30 or len(value or b"") > 1024:
            raise c.fail("short words")
        return name, value

    return dict(c.words(pair))


def vanished(c: Cursor) -> tuple[bool, list[int]]:
    """Read [(EARLIER)] uids. RFC 7162 §3.2.10."""
    if not c.mode.qresync and not c.mode.uidonly:
        raise c.fail("no VANISHED before ENABLE QRESYNC or UIDONLY")
    c.sp()
    earlier = c.takes(b"(EARLIER) ")
    return earlier, c.uid_set()


def _rights(c: Cursor) -> bytes:
    found = c.astring()
    if not set(found) <= RIGHTS or len(set(found)) < len(found):
        raise c.fail("rights, each once")
    return found


def acl(c: Cursor) -> tuple[str, dict[bytes, bytes]]:
    """Read name *(identifier rights). RFC 4314 §3.6."""
    c.sp()
    name = c.mailbox()
    found: dict[bytes, bytes] = {}
    while c.takes(b" "):
        who = c.astring()
        c.sp()
        if who in found:
            raise c.fail("each identifier once")
        found[who] = _rights(c)
    return name, found


def list_rights(c: Cursor) -> tuple[str, bytes, list[bytes]]:
    """Read name identifier required *optional. RFC 4314 §3.7."""
    c.sp()
    name = c.mailbox()
    c.sp()
    who = c.astring()
    c.sp()
    found = [_rights(c)]
    while c.takes(b" "):
        found.append(_rights(c))
    return name, who, found


def my_rights(c: Cursor) -> tuple[str, bytes]:
    """Read name rights. RFC 4314 §3.8."""
    c.sp()
    name = c.mailbox()
    c.sp()
    return name, _rights(c)


def quota(c: Cursor) -> tuple[bytes, dict[bytes, tuple[int, int]]]:
    """Read root (resource usage limit …). RFC 9208 §4.2.1."""
    c.sp()
    root = c.astring()
    c.sp()

    def one() -> tuple[bytes, tuple[int, int]]:
        resource = c.atom()
        c.sp()
        usage = c.number64()
        c.sp()
        return resource, (usage, c.number64())

    return root, dict(c.words(one))


def quota_root(c: Cursor) -> tuple[str, list[bytes]]:
    """Read name *root. RFC 9208 §4.2.2."""
    c.sp()
    name = c.mailbox()
    roots = []
    while c.takes(b" "):
        roots.append(c.astring())
    return name, roots


def metadata(c: Cursor) -> tuple[str, dict[bytes, bytes | None]]:
    """Read name and (entry value …), or name and entries that changed. RFC 5464 §5."""
    c.sp()
    name = c.mailbox()
    c.sp()
    if c.next() == b"(":
        pairs = c.words(lambda: _entry(c), empty=False)
        return name, dict(pairs)
    found: dict[bytes, bytes | None] = {_entry_name(c): None}
    while c.takes(b" "):
        found[_entry_name(c)] = None
    return name, found


def _entry_name(c: Cursor) -> bytes:
    name = c.astring()
    lower = name.lower()
    if not lower.startswith((b"/private/", b"/shared/")) or {42, 37} & set(name):
        raise c.fail("the name of an entry")
    if b"//" in name or name.endswith(b"/"):
        raise c.fail("the name of an entry without empty parts")
    return name


def _entry(c: Cursor) -> tuple[bytes, bytes | None]:
    name = _entry_name(c)
    c.sp()
    return name, c.nstring(binary=True)


def genurlauth(c: Cursor) -> list[bytes]:
    """Read 1*(SP url). RFC 4467 §9."""
    c.sp()
    found = [c.astring()]
    while c.takes(b" "):
        found.append(c.astring())
    return found


def urlfetch(c: Cursor) -> list[tuple[bytes, bytes | None]]:
    """Read 1*(SP url SP nstring). RFC 4467 §9."""
    found = []
    while c.takes(b" "):
        url = c.astring()
        c.sp()
        found.append((url, c.nstring(binary=True)))
    return found
