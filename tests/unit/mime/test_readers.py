"""Tables of the RFCs' examples and of what senders write instead."""

from datetime import UTC, datetime

import pytest

from mailhost.mime import headers, imap, words
from mailhost.mime.addresses import Address, parse_addresses, parse_entries
from mailhost.mime.charsets import decode_text
from mailhost.mime.dates import parse_date
from mailhost.mime.decode import decode_body
from mailhost.mime.html import to_text
from mailhost.mime.parameters import content_type, disposition
from mailhost.mime.subjects import base_subject, is_reply_or_forward

WORDS = [
    # RFC 2047 §8
    (b"=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld Jørn Simonsen"),
    (b"=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard"),
    (
        (
            b"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n"
            b"    =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?="
        ),
        "If you can read this you understand the example.",
    ),
    (b"(=?ISO-8859-1?Q?a?=)", "(a)"),
    (b"(=?ISO-8859-1?Q?a?= b)", "(a b)"),
    (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
    (b"(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
    (b"(=?ISO-8859-1?Q?a?=\r\n   =?ISO-8859-1?Q?b?=)", "(ab)"),
    (b"(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
    (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
    # RFC 2231 §5
    (b"=?US-ASCII*EN?Q?Keith_Moore?= <x>", "Keith Moore <x>"),
    # A character cut in two; lower-case b; base64 without its padding.
    (b"=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"),
    (b"=?utf-8?b?w6Q?=", "ä"),
    (b"=?UTF-8?B?w6TDpA?= x", "ää x"),
    # Raw octets: UTF-8 is RFC 6532, others are Windows-1252.
    ("Grüße".encode(), "Grüße"),
    (b"Gr\xfc\xdfe \x80", "Grüße €"),
    (b"\x81", "\x81"),
    # No such charset, no such encoding, no end.
    (b"=?x-none?q?=E4?=", "ä"),
    (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
    (b"=?utf-8?q?abc", "=?utf-8?q?abc"),
    (b"=?punycode?q?abc?=", "abc"),
    # What is decoded starts no line.
    (b"=?utf-8?q?a=0D=0ABcc:_x=00?=", "a Bcc: x"),
    (b"a\0b\tc", "ab c"),
    (b"", ""),
]


@pytest.mark.parametrize(("value", "text"), WORDS)
def test_words(value: bytes, text: str) -> None:
    assert words.decode(value) == text


def test_every_encoded_word_fits_and_stands_alone() -> None:
    octets = words.encode("日本語の件名" * 20)
    pieces = octets.split(b" ")
    assert len(pieces) > 1
    assert max(map(len, pieces)) <= 75
    for piece in pieces:  # RFC 2047 §5: no character is cut
        assert "\ufffd" not in words.decode(piece)


CHARSETS = [
    ("iso-8859-15", b"\xa4", "€"),
    ("KOI8-R", b"\xc1", "а"),
    ("gb2312", "你好".encode("gb18030"), "你好"),
    ("ks_c_5601-1987", "안녕".encode("cp949"), "안녕"),
    ("Shift_JIS", "①".encode("cp932"), "①"),
    ("iso-2022-jp", "日本".encode("iso2022_jp"), "日本"),
    ("x-windows-1251", b"\xc0", "А"),
    ("windows-874", b"\xa1", "ก"),
    ("utf-16le", b"a\0", "a"),
    ("utf-8", b"a\xff", "a\ufffd"),
    ("us-ascii", b"\xe4", "ä"),
    ("utf-7", b"+2AA-", "\ufffd"),  # a lone surrogate
    ("", "ä".encode(), "ä"),
    ("rot13", b"abc", "abc"),
    ("../../x", b"abc", "abc"),
    ("undefined", b"\xe4", "ä"),
]


@pytest.mark.parametrize(("charset", "octets", "text"), CHARSETS)
def test_charsets(charset: str, octets: bytes, text: str) -> None:
    assert decode_text(octets, charset) == text


ADDRESSES = [
    # RFC 5322 appendix A.1.2
    (
        b'"Joe Q. Public" <john.q.public@example.com>',
        [("Joe Q. Public", "john.q.public", "example.com")],
    ),
    (
        b"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
        [
            ("Mary Smith", "mary", "x.test"),
            ("", "jdoe", "example.org"),
            ("Who?", "one", "y.test"),
        ],
    ),
    (
        b'<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
        [
            ("", "boss", "nil.test"),
            ('Giant; "Big" Box', "sysservices", "example.net"),
        ],
    ),
    # A.1.3
    (
        b"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
        [
            ("Ed Jones", "c", "a.test"),
            ("", "joe", "where.test"),
            ("John", "jdoe", "one.test"),
        ],
    ),
    (b"Undisclosed recipients:;", []),
    # A.5
    (
        b"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
        [("Pete", "pete", "silly.test")],
    ),
    (
        (
            b"A Group(Some people)\r\n     :Chris Jones "
            b"<c@(Chris's host.)public.example>,\r\n"
            b"         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend);"
            b" (the end of the group)"
        ),
        [
            ("Chris Jones", "c", "public.example"),
            ("", "joe", "example.org"),
            ("John", "jdoe", "one.test"),
        ],
    ),
    # A.6.1
    (
        b"Joe Q. Public <john.q.public@example.com>",
        [
            ("Joe Q. Public", "john.q.public", "example.com"),
        ],
    ),
    (
        b"Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
        [("Mary Smith", "mary", "example.net"), ("", "jdoe", "test.example")],
    ),
    # A.6.3
    (
        b"Mary Smith\r\n          \r\n          <mary@example.net>",
        [("Mary Smith", "mary", "example.net")],
    ),
    # RFC 822's name in a comment; a quoted local part; a domain literal.
    (
        b"keld@dkuug.dk (Keld =?iso-8859-1?q?J=F8rn?=)",
        [("Keld Jørn", "keld", "dkuug.dk")],
    ),
    (b'"a b"@example.com', [("", "a b", "example.com")]),
    (b"x@[192.0.2.1]", [("", "x", "[192.0.2.1]")]),
    # Encoded words, in quotes too, which RFC 2047 §5 forbids and senders do.
    (b"=?utf-8?q?J=C3=B6rg?= <j@x.test>", [("Jörg", "j", "x.test")]),
    (b'"=?utf-8?q?J=C3=B6rg?=" <j@x.test>', [("Jörg", "j", "x.test")]),
    ("Jörg <jörg@exämple.test>".encode(), [("Jörg", "jörg", "exämple.test")]),
    # Broken ones.
    (b"a@x.test; b@x.test", [("", "a", "x.test"), ("", "b", "x.test")]),
    (b"John a@x.test", [("John", "a", "x.test")]),
    (b"Name <a@x.test", [("Name", "a", "x.test")]),
    (b"a@b@x.test", [("", "a@b", "x.test")]),
    (b"John <john>", [("John", "john", "")]),
    (b"root", [("", "root", "")]),
    (b"John Doe", [("John Doe", "", "")]),
    (b"<>", [("", "", "")]),
    (b'"John <a@x.test>', [("John <a@x.test>", "", "")]),
    (b"a@x.test (comment", [("", "a", "x.test")]),
    (b" , ,", []),
    (b"", []),
]


@pytest.mark.parametrize(("value", "people"), ADDRESSES)
def test_addresses(value: bytes, people: list[tuple[str, str, str]]) -> None:
    assert parse_addresses(value) == tuple(Address(*person) for person in people)


def test_addr_joins_mailbox_and_host() -> None:
    assert Address("x", "a", "b.test").addr == "a@b.test"
    assert Address("x", "a", "").addr == "a"


def test_groups_keep_their_marks_for_envelope() -> None:
    # RFC 9051 §7.5.2: a NIL host begins and ends a group.
    assert imap.address_list(parse_entries(b"G: a@b, C <c@d>;, e@f")) == (
        b'((NIL NIL "G" NIL)(NIL NIL "a" "b")("C" NIL "c" "d")(NIL NIL NIL NIL)'
        b'(NIL NIL "e" "f"))'
    )
    assert imap.address_list(parse_entries(b"undisclosed:")) == (
        b'((NIL NIL "undisclosed" NIL)(NIL NIL NIL NIL))'
    )
    assert imap.address_list(parse_entries(b"<@x,@y:c@d>")) == (
        b'((NIL "@x,@y" "c" "d"))'
    )
    # A missing host is no group.
    assert imap.address_list(parse_entries(b"root")) == b'((NIL NIL "root" ""))'


DATES = [
    # RFC 5322 appendix A.1.1, A.6.2, A.5
    (b"Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21T15:55:06"),
    (b"21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06"),
    (
        (
            b"Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n"
            b"               -0330 (Newfoundland Time)"
        ),
        "1969-02-14T03:02:00",
    ),
    (b"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "1997-11-21T15:55:06"),
    # RFC 5322 §4.3
    (b"1 Jan 49 00:00 EST", "2049-01-01T05:00:00"),
    (b"1 Jan 50 00:00 Z", "1950-01-01T00:00:00"),
    (b"1 Jan 103 00:00 UT", "2003-01-01T00:00:00"),
    # RFC 5256 §2.2: a bad zone is UTC, a bad time is 00:00:00.
    (b"1 Jan 2024 10:00:00 +9999", "2024-01-01T10:00:00"),
    (b"1 Jan 2024 10:00:00 Nowhere", "2024-01-01T10:00:00"),
    (b"1 Jan 2024 25:00:00 +0000", "2024-01-01T00:00:00"),
    (b"1 Jan 2024", "2024-01-01T00:00:00"),
    (b"31 Dec 2016 23:59:60 +0000", "2016-12-31T23:59:59"),
    (b"mon, 1 january 2024 10:00:00 +0100", "2024-01-01T09:00:00"),
]


@pytest.mark.parametrize(("value", "expected"), DATES)
def test_dates(value: bytes, expected: str) -> None:
    assert parse_date(value) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [b"", b"yesterday", b"32 Jan 2024", b"1 Foo 2024", b"1 Jan 0000 00:00 +0000",
     b"31 Dec 9999 23:00 -2300", b"1 Jan 20245"],
)  # fmt: skip
def test_dates_that_are_none(value: bytes) -> None:
    assert parse_date(value) is None


SUBJECTS = [
    # RFC 5256 §2.1 and §5
    ("Re: Hello", "HELLO"),
    ("re: FW: fwd: hello", "HELLO"),
    ("Re[2]: hello", "HELLO"),
    ("Re : hello", "HELLO"),
    ("[list] Re: [other] hello", "HELLO"),
    ("[a] [b] hello", "HELLO"),
    ("[a] [b]", "[B]"),
    ("[a]", "[A]"),
    ("[a] re: [b]", "[B]"),
    ("hello (fwd)", "HELLO"),
    ("hello (fwd) (FWD) ", "HELLO"),
    ("[fwd: hello]", "HELLO"),
    ("[Fwd: Re: hello (fwd)]", "HELLO"),
    ("Re: [fwd: [fwd: a]]", "A"),
    ("a \t b\r\n c", "A B C"),
    ("Reply: x", "REPLY: X"),
    ("Re", "RE"),
    ("Re:", ""),
    ("", ""),
    ("[unclosed hello", "[UNCLOSED HELLO"),
    ("Re: Größe", "GRO\u0308ßE"),  # casemapped, not upper case: RFC 5051
    ("[x] [Fwd: y]", "Y"),
    ("(fwd)", ""),
    ("re:re:re[1]:  [z] fwd : Hi (fwd) (fwd)", "HI"),
    ("ＲＥ: x", "RE: X"),  # full width letters are no "re"
]


@pytest.mark.parametrize(("subject", "base"), SUBJECTS)
def test_base_subjects(subject: str, base: str) -> None:
    assert base_subject(subject) == base


REPLIES = {
    "Re: a": True,
    "[x] fw[2]: a": True,
    "a (FWD)": True,
    "[fwd: a]": True,
    "[list] a": False,
    " a\t b ": False,
    "[fwd: a] b": False,  # a blob
    "A (fwd) b": False,
}


@pytest.mark.parametrize("subject", REPLIES)
def test_what_is_a_reply_or_forward(subject: str) -> None:
    # RFC 5256 §3, THREAD: what the extraction of the base subject removed
    assert is_reply_or_forward(subject) == REPLIES[subject]


PARAMETERS = [
    # RFC 2045 §5.1
    (b"text/plain; charset=us-ascii (Plain text)", [("charset", "us-ascii")]),
    (b'text/plain; charset="us-ascii"', [("charset", "us-ascii")]),
    # RFC 2231 §3, §4, §4.1
    (
        (
            b'message/external-body; access-type=URL;\r\n    URL*0="ftp://";\r\n'
            b'    URL*1="cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"'
        ),
        [
            ("access-type", "URL"),
            ("url", "ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"),
        ],
    ),
    (
        b"application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
        [("title", "This is ***fun***")],
    ),
    (
        (
            b"application/x-stuff;\r\n"
            b"  title*0*=us-ascii'en'This%20is%20even%20more%20;\r\n"
            b'  title*1*=%2A%2A%2Afun%2A%2A%2A%20;\r\n  title*2="isn\'t it!"'
        ),
        [("title", "This is even more ***fun*** isn't it!")],
    ),
    # Sections out of order; a gap ends the value.
    (b"a/b; n*1=b; n*0=a; n*3=d", [("n", "ab")]),
    # RFC 2231 beside the old form, a word where none may be, a file with spaces.
    (b"a/b; name=x; name*=utf-8''%C3%A4", [("name", "ä")]),
    (b'a/b; name="=?utf-8?q?=C3=A4?="', [("name", "ä")]),
    (b"a/b; name=my file.pdf; x=1", [("name", "my file.pdf"), ("x", "1")]),
    (b'a/b; name="C:\\dir\\a\\"b.txt"', [("name", 'C:\\dir\\a"b.txt')]),
    (b'a/b; name="no end', [("name", "no end")]),
    (b"a/b;; ;x=1;", [("x", "1")]),
    (b"a/b; x=1; X=2", [("x", "1")]),
    (b"a/b; (c;d=e) x=(f)1", [("x", "1")]),
    (b"a/b; x", []),
    (b"a/b; x=", [("x", "")]),
]


@pytest.mark.parametrize(("value", "pairs"), PARAMETERS)
def test_parameters(value: bytes, pairs: list[tuple[str, str]]) -> None:
    assert list(content_type(headers.unfold(value)).pairs) == pairs


@pytest.mark.parametrize("value", [b"", b"text", b"/plain", b"; charset=x", b"\xe4/x"])
def test_a_broken_type_is_the_default(value: bytes) -> None:
    # RFC 2045 §5.2
    found = content_type(value)
    assert (found.main, found.sub) == ("text", "plain")
    assert found.pairs == (("charset", "us-ascii"),)


def test_continuations_are_joined_for_imap_and_stay_encoded() -> None:
    # RFC 2231 §6
    found = disposition(
        b"attachment; filename*0*=utf-8''%C3; filename*1*=%A4; "
        b'filename*2=" b"; plain*0=a; plain*1=b'
    )
    assert found.get("filename") == "ä b"
    assert found.rendered == b'("filename*" "utf-8\'\'%C3%A4%20b" "plain" "ab")'


STRINGS = [
    (b"", b'""'),
    (b'a"b\\', b'"a\\"b\\\\"'),
    (b"a\0b", b'"ab"'),
    (b"\xc3\xa4", b"{2}\r\n\xc3\xa4"),
    (b"a\r\nb", b"{4}\r\na\r\nb"),
    (b"NIL", b'"NIL"'),
]


@pytest.mark.parametrize(("octets", "rendered"), STRINGS)
def test_strings(octets: bytes, rendered: bytes) -> None:
    assert imap.string(octets) == rendered


HTML = [
    ("<p>a</p><p>b</p>", "a\nb"),
    ("a<br>b<b>c</b>", "a\nbc"),
    ("<style>x{}</style>a<script>1<2</script >b", "ab"),
    ("a<!-- <p> -->b", "ab"),
    ("a<!-- no end", "a"),
    ("&lt;a&gt; &auml;&#228;&#xE4;&nbsp;b", "<a> äää b"),
    ("&#0;&#xD800;&#99999999999;", "\ufffd\ufffd\ufffd"),
    ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
    ("<td>a</td><td>b</td>", "a b"),
    ("<a href='x'>link", "link"),
    ("  a\n\n b  ", "a b"),
]


@pytest.mark.parametrize(("html", "text"), HTML)
def test_html(html: str, text: str) -> None:
    assert to_text(html) == text


BODIES = [
    # RFC 2045 §6.7
    (
        "quoted-printable",
        b"Now's the time =\r\nfor all=20\r\n",
        b"Now's the time for all \r\n",
    ),
    ("Quoted-Printable", b"=E4=zz", b"\xe4=zz"),
    ("base64", b"SGVs\r\nbG8=\r\n", b"Hello"),
    ("BASE64", b"SGVsbG8", b"Hello"),
    ("base64", b"SGVs!bG8=trailing", b"Hello"),
    ("7bit", b"=41", b"=41"),
    ("x-unknown", b"abc", b"abc"),
    ("x-uuencode", b"begin 644 a\n#0V%T\n`\nend\n", b"Cat"),
]


@pytest.mark.parametrize(("encoding", "octets", "decoded"), BODIES)
def test_bodies(encoding: str, octets: bytes, decoded: bytes) -> None:
    assert decode_body(octets, encoding) == decoded


def test_headers_get_and_unfold() -> None:
    header = b"A: 1\r\nb:\r\n\t2\r\n 3 \r\na : 4\r\n\r\n"
    assert headers.fields(header) == [
        (b"A", b" 1"),
        (b"b", b"\r\n\t2\r\n 3 "),
        (b"a", b" 4"),
    ]
    assert headers.get(header, b"a") == b"1"
    assert headers.get(header, b"B") == b"2 3"
    assert headers.get(header, b"c") is None
    assert headers.get_all(header, b"A") == [b"1", b"4"]


def test_select_keeps_the_octets() -> None:
    # RFC 9051 §6.4.5.1: whole fields as they arrived, and the blank line.
    header = b"A: 1\r\nB: 2\r\n 3\r\nAb: 4\r\na : 5\r\n\r\n"
    assert headers.select(header, [b"a"]) == b"A: 1\r\na : 5\r\n\r\n"
    assert headers.select(header, [b"B"]) == b"B: 2\r\n 3\r\n\r\n"
    assert (
        headers.select(header, [b"a"], exclude=True) == b"B: 2\r\n 3\r\nAb: 4\r\n\r\n"
    )
    assert headers.select(header, [b"none"]) == b"\r\n"
    assert headers.select(header, []) == b"\r\n"
    assert headers.select(header, [], exclude=True) == header
    assert headers.select(header, [b"a.*"]) == b"\r\n"


BLOCKS = [
    (b"A: 1\r\n\r\nbody", b"A: 1\r\n\r\n"),
    (b"A: 1\n\nbody", b"A: 1\n\n"),
    (b"A: 1\r\nbody", b"A: 1\r\n"),  # no blank line
    (b"\r\nbody: x", b"\r\n"),
    (b"From x Mon Jan 1\r\nA: 1\r\n\r\nb", b"From x Mon Jan 1\r\nA: 1\r\n\r\n"),
    (b"A: 1\r\n \r\n b\r\n\r\nbody", b"A: 1\r\n \r\n b\r\n\r\n"),  # obs-FWS
    (b"A: 1", b"A: 1"),
    (b"body", b""),
    (b"", b""),
    (b"A: 1\rB: 2\r\n\r\n", b"A: 1\rB: 2\r\n\r\n"),  # a bare CR ends no line
    (b"A: 1\r\r\n\r\r\nbody", b"A: 1\r\r\n\r\r\n"),
]


@pytest.mark.parametrize(("octets", "block"), BLOCKS)
def test_where_a_header_ends(octets: bytes, block: bytes) -> None:
    assert octets[: headers.block_end(octets, 0, len(octets))] == block
