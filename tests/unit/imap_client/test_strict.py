"""The strict reader takes what the RFCs show, and nothing else."""

import re
from typing import Any

import pytest

from tests.imap_client.cursor import Malformed, Mode
from tests.imap_client.reader import Reader, responses
from tests.imap_client.responses import Response

# RFC 9051 §7, §8; RFC 7162, 4731, 5256, 5267, 9394, 5464, 5465, 4314, 9208.
SOUND = r"""
* OK [CAPABILITY STARTTLS AUTH=GSSAPI IMAP4rev2] IMAP4rev2 Service Ready
* PREAUTH IMAP4rev2 server logged in as Smith
* BYE Autologout; idle for too long
a1 OK [READ-WRITE] SELECT completed
a1 NO [BADCHARSET (UTF-8)] Unknown
a1 NO [BADCHARSET] Unknown
a1 OK [APPENDUID 38505 3955] APPEND completed
a1 OK [COPYUID 38505 304,319:320 3956:3958] Done
a1 OK [MODIFIED 7,9] Conditional STORE failed
a1 NO [METADATA LONGENTRIES 2199] Long
* OK [PERMANENTFLAGS (\Deleted \Seen \*)] Limited
* OK [PERMANENTFLAGS ()] None
* OK [MAILBOXID (F2212ea87-6097-4256-9d51-71338625)] Ok
* OK [INPROGRESS ("A001" 175 1000)] Still working
* CAPABILITY STARTTLS AUTH=GSSAPI IMAP4rev2 LOGINDISABLED
* ENABLED
* LIST (\Noselect) "/" ~/Mail/foo
* LIST (\Marked \Drafts) "/" "a b"
* LIST () "/" foo ("CHILDINFO" ("SUBSCRIBED"))
* LIST () NIL INBOX
* LIST () "/" &AOQ-
* LIST () "/" INBOX ("OLDNAME" ("inbox"))
* LIST () "/" New (OLDNAME (Old))
* LIST (\NonExistent \NoAccess) "." INBOX.Gone
a1 NO [BADEVENT (MessageNew MessageExpunge MailboxName)] No such event
* OK [NOTIFICATIONOVERFLOW] Too much
* STATUS Lists/Lemonade (HIGHESTMODSEQ 65666665 UIDVALIDITY 101)
* NAMESPACE (("" "/")) NIL (("Shared/" "/")("Other" NIL))
* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292)
* STATUS foo (HIGHESTMODSEQ 7011231777 APPENDLIMIT NIL)
* SEARCH
* SEARCH 2 84 882
* SEARCH 2 5 6 (MODSEQ 917162500)
* SORT 5 3 4 1 2
* ESEARCH
* ESEARCH (TAG "h") ALL 1:3,5,8,13
* ESEARCH (TAG "A282") UID MIN 2 COUNT 3 MODSEQ 12
* ESEARCH (TAG "B01") ADDTO (0 2732:2733)
* ESEARCH (TAG "A01") UID PARTIAL (-1:-100 NIL)
* ESEARCH (TAG "tag1" MAILBOX "folder1" UIDVALIDITY 1) UID ALL 4001,4003
* THREAD (2)(3 6 (4 23)(44 7 96))
* THREAD ((3)(5))
* FLAGS (\Answered \Flagged $Forwarded)
* 23 EXISTS
* 0 RECENT
* 44 EXPUNGE
* 23 FETCH (FLAGS (\Seen \Recent) RFC822.SIZE 44827 UID 9 MODSEQ (12))
* 1 FETCH (INTERNALDATE " 7-Jul-1996 02:44:25 -0700" EMAILID (M6d) THREADID NIL)
* 1 FETCH (BODY[1.2.HEADER.FIELDS (SUBJECT "a]")]<0> NIL BINARY.SIZE[1] 12)
* 1 FETCH (PREVIEW "abc" SAVEDATE NIL)
* ACL INBOX Fred rwipslxetad -Fred wetd
* LISTRIGHTS ~/Mail/saved smith la r swicdkxte
* MYRIGHTS INBOX rwiptsldaex
* QUOTA "!partition" (STORAGE 104 10512 MESSAGE 1 2)
* QUOTAROOT INBOX "" b
* METADATA "INBOX" (/private/comment "My comment" /shared/comment NIL)
* METADATA "" /shared/comment
* LANGUAGE (EN)
* ID NIL
* ID ("name" "Cyrus" "version" NIL)
+ Ready
+~
"""
BROKEN = r"""
OK done
* OK
* OK~
a OK
* OK [] none
* OK [UNHEARD] of
* OK [UIDNEXT 0] zero
* OK [READ-WRITE x] argument
* OK [ALERT]none
a1 PREAUTH x
* OK [COPYUID 1 1:3 1:2] sizes
* OK [APPENDUID 1 3:1] order
* CAPABILITY IDLE
* CAPABILITY IMAP4rev1 IMAP4rev1
* LIST (\Seen) "/" a
* LIST () "//" a
* LIST () "/" a ("OLDNAME" "b")
* LIST () "/" a ("OLDNAME" ("b" "c"))
* LIST () "/" a ()
a1 NO [BADEVENT] none
a1 NO [BADEVENT ()] none
a1 NO [BADEVENT (Tea)] unheard of
a1 NO [BADEVENT (FlagChange FlagChange)] twice
* OK [NOTIFICATIONOVERFLOW 5] argument
* LIST () "/" a b
* LIST () "/" NIL
* LIST () "/" &AOQ
* LIST () "/" "&AGE-"
* LIST (\HasChildren \HasNoChildren) "/" a
* STATUS a (MESSAGES -1)
* STATUS a (WORDS 1)
* STATUS a (MESSAGES 1 MESSAGES 1)
* SEARCH 0
* SEARCH 1  2
* SEARCH 1 1
* SEARCH 1~
* ESEARCH (TAG "a") ALL
* ESEARCH UID MIN 0
* ESEARCH (TAG "a") MIN 1 MIN 1
* THREAD (1 (2))
* THREAD ()
* FLAGS (\Seen \seen)
* 4294967296 EXISTS
* 01 EXISTS
* 0 EXPUNGE
* 0 FETCH (UID 1)
* 1 FETCH ()
* 1 FETCH (UID 1 UID 1)
* 1 FETCH (UID 0)
* 1 FETCH (UID 4294967296)
* 1 FETCH (MODSEQ (0))
* 1 FETCH (MODSEQ 3)
* 1 FETCH (FLAGS (\Seen  \Draft))
* 1 FETCH (FLAGS (a(b))
* 1 FETCH (FLAGS (\*))
* 1 FETCH (INTERNALDATE "7-Jul-1996 02:44:25 -0700")
* 1 FETCH (INTERNALDATE "07-Jul-1996 02:44:25 -0700")
* 1 FETCH (BODY[MIME] NIL)
* 1 FETCH (BODY[1.FOO] NIL)
* 1 FETCH (BINARY[TEXT] NIL)
* 1 FETCH (BODY.PEEK[] NIL)
* 1 FETCH (BODY[] "a"b)
* 1 FETCH (BODY[] nil)
* 1 FETCH (PREVIEW "a\b")
* 1 FETCH (X-OWN 1)
* 1 FETCH (UID 1)~
* VANISHED 1
* MYRIGHTS INBOX rr
* METADATA "" /comment
* HELLO
* ok small letters
+
"""


def lines(table: str) -> list[bytes]:
    """Return whole lines; "~" stands for a space at the end of one."""
    spaced = (re.sub("~$", " ", line) for line in table.split("\n") if line)
    return [line.encode() + b"\r\n" for line in spaced]


@pytest.mark.parametrize("line", lines(SOUND))
def test_sound(line: bytes) -> None:
    assert len(responses(line)) == 1
    found: list[Response] = []
    reader = Reader()
    for at in range(len(line)):
        found += reader.feed(line[at : at + 1])
    assert found == responses(line)


@pytest.mark.parametrize("line", lines(BROKEN))
def test_broken(line: bytes) -> None:
    with pytest.raises(Malformed):
        responses(line)


TEXT = '("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "7BIT" 3 1 NIL NIL NIL NIL)'
INNER = '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3 1)'
ADDRESS = '(("Ann" NIL "ann" "a.test"))'
ENVELOPE = f'("x" NIL {ADDRESS} {ADDRESS} {ADDRESS} NIL NIL NIL NIL "<a@b>")'


@pytest.mark.parametrize(
    ("item", "is_sound"),
    [
        (f"BODYSTRUCTURE {TEXT}", True),
        (f'BODYSTRUCTURE ({TEXT}{TEXT} "MIXED" ("BOUNDARY" "x") NIL NIL NIL)', True),
        (f'BODYSTRUCTURE ({TEXT} {TEXT} "MIXED")', False),
        (f"BODY {TEXT}", False),
        ('BODY ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3 1)', True),
        ('BODY ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3)', False),
        ('BODY ("TEXT" "PLAIN" NIL NIL NIL NIL 3 1)', False),
        ('BODY ("TEXT" "PLAIN" ("A") NIL NIL "7BIT" 3 1)', False),
        ('BODY ("TEXT" "PLAIN" () NIL NIL "7BIT" 3 1)', False),
        ('BODY ("IMAGE" "PNG" NIL NIL NIL "BASE64" 3)', True),
        ('BODY ("IMAGE" "PNG" NIL NIL NIL "BASE64" 3 1)', False),
        ('BODY ("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 3)', False),
        (
            f'BODY ("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 3 {ENVELOPE} {INNER} 4)',
            True,
        ),
        (f"ENVELOPE {ENVELOPE}", True),
        ("ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL)", False),
        ("ENVELOPE (NIL NIL () NIL NIL NIL NIL NIL NIL NIL)", False),
        ('ENVELOPE (NIL NIL (("a" NIL NIL)) NIL NIL NIL NIL NIL NIL NIL)', False),
    ],
)
def test_structures(item: str, is_sound: bool) -> None:  # noqa: FBT001 - a table
    line = f"* 1 FETCH ({item})\r\n".encode()
    if is_sound:
        responses(line)
    else:
        with pytest.raises(Malformed):
            responses(line)


@pytest.mark.parametrize(
    ("octets", "mode", "is_sound"),
    [
        (b'* 1 FETCH (PREVIEW "\xc3\xa4")\r\n', Mode(), False),
        (b'* 1 FETCH (PREVIEW "\xc3\xa4")\r\n', Mode(utf8=True), True),
        (b'* 1 FETCH (PREVIEW "\xc3")\r\n', Mode(utf8=True), False),
        (b"* 1 FETCH (PREVIEW {2}\r\n\xc3\xa4)\r\n", Mode(), True),
        (b"* 1 FETCH (BODY[] {1}\r\n\0)\r\n", Mode(), False),
        (b"* 1 FETCH (BODY[] ~{1}\r\n\0)\r\n", Mode(), False),
        (b"* 1 FETCH (BINARY[1] ~{1}\r\n\0)\r\n", Mode(), True),
        (b"* 1 FETCH (BODY[] {3}\r\nab)\r\n", Mode(), False),
        (b"* 1 FETCH (BODY[] {2}\r\na}\r\n", Mode(), False),
        (b"* 1 FETCH (BODY[] {5}\r\n{9}\r\n)\r\n", Mode(), True),
        (b'* LIST () "/" "\xc3\xa4"\r\n', Mode(), False),
        (b'* LIST () "/" "\xc3\xa4"\r\n', Mode(utf8=True), True),
        (b"* OK \xc3\xa4\r\n", Mode(), False),
        (b"* OK \xc3\xa4\r\n", Mode(rev2=True), True),
        (b"* VANISHED (EARLIER) 41,43:116\r\n", Mode(qresync=True), True),
        (b"* VANISHED *\r\n", Mode(qresync=True), False),
        (b"* 1 FETCH (FLAGS (\\Recent))\r\n", Mode(rev2=True), False),
        (b"* 9 UIDFETCH (FLAGS ())\r\n", Mode(uidonly=True), True),
        (b"* 9 FETCH (FLAGS ())\r\n", Mode(uidonly=True), False),
        (b"* 9 EXPUNGE\r\n", Mode(uidonly=True), False),
        (b"* OK a\n", Mode(), False),
        (b"* OK a\rb\r\n", Mode(), False),
    ],
)
def test_octets(octets: bytes, mode: Mode, is_sound: bool) -> None:  # noqa: FBT001
    if is_sound:
        responses(octets, mode)
    else:
        with pytest.raises(Malformed):
            responses(octets, mode)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"* THREAD (2)(3 6 (4 23)(44 7 96))\r\n",
         [[2], [3, 6, [4, 23], [44, 7, 96]]]),
        (b"* STATUS a (MESSAGES 2)\r\n", ("a", {"MESSAGES": 2})),
        (b"* 1 FETCH (BODY[]<2> {2}\r\nab)\r\n", {b"BODY[]<2>": b"ab"}),
    ],
)  # fmt: skip
def test_values(line: bytes, value: Any) -> None:
    assert responses(line)[0].value == value


def test_what_is_enabled_holds_from_there_on() -> None:
    said = b'* LIST () "/" &AOQ-\r\n* ENABLED IMAP4rev2\r\n* LIST () "/" "&AOQ-"\r\n'
    found = responses(said)
    assert [found[0].value["name"], found[2].value["name"]] == ["ä", "&AOQ-"]
