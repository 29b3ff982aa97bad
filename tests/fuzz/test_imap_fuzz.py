"""Whatever a client sends, each reply follows the grammar and shows no bug of ours."""

import logging
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailhost.store.view import views
from protocols.imap.connection import Connection
from tests.conftest import PASSWORD
from tests.imap_client.reader import responses
from tests.transcripts.imap_transcript import Player, session
from tests.transcripts.imap_world import fill, write

if TYPE_CHECKING:
    from accounts.models import User

# fmt: off
# ruff: noqa: E501 - tables
SETS = st.sampled_from(
    [
    "1", "1:*", "*", "2,4", "*:1", "9", "0", "$", "1:", "4294967295"]
)
NAMES = st.sampled_from(
    [
        "INBOX",
        '"Work"',
        "Sent",
        "&-",
        "{3+}\r\na\rb",
        '"&AOQ-"',
        '"\u00e4"',
        '""',
        "a//b",
    ]
)
FLAGS = st.sampled_from(["\\Seen", "(\\Deleted $X)", "()", "\\Recent", "(", "(a b)"])
ITEMS = st.sampled_from([
    "FLAGS", "ALL", "FULL", "(UID MODSEQ)", "BODY[]", "BODY.PEEK[1.TEXT]<0.9>", "BODY[1]",
    "(ENVELOPE BODYSTRUCTURE BODY)", "BINARY.PEEK[1]", "BINARY.SIZE[]", "BODY[HEADER]",
    'BODY.PEEK[HEADER.FIELDS ("a]" Subject)]', "RFC822", "(PREVIEW SAVEDATE EMAILID)",
    "BODY[", "BODY[1", "()", "BODY[1]<", "FLAGS (CHANGEDSINCE 1)", "BODY[%d %s]",
])
KEYS = st.recursive(
    st.sampled_from(
        [
            "ALL",
            "SEEN",
            "NEW",
            "SUBJECT message",
            'TEXT "line"',
            "BODY {1+}\r\nx",
            "1:2",
            "UID *",
            "$",
            "LARGER 5",
            "SINCE 1-Jan-2026",
            "SENTON 1-Jan-2026",
            "MODSEQ 3",
            "KEYWORD a",
            "HEADER a b",
            "YOUNGER 9",
            "EMAILID M1",
            "FROM",
            "(",
            "ON 1-Jan-9999",
            "FILTER mine",
            "FUZZY SUBJECT mes",
            "9:12",
            "UIDAFTER 1",
            "UIDBEFORE 4294967295",
            "UIDBEFORE 0",
        ]
    ),
    lambda k: st.one_of(
        k.map(lambda x: f"NOT {x}"),
        k.map(lambda x: f"({x})"),
        k.map(lambda x: f"FUZZY {x}"),
        st.tuples(k, k).map(lambda x: f"OR {x[0]} {x[1]}"),
        st.tuples(k, k).map(" ".join),
    ),
    max_leaves=5,
)
RETURNS = st.lists(st.sampled_from([
    "MIN", "MAX", "ALL", "COUNT", "SAVE", "UPDATE", "CONTEXT", "RELEVANCY", "PARTIAL 1:2",
    "PARTIAL -1:-9", "PARTIAL 1:-1", "UPDATE (UID FLAGS)", "UPDATE (", "X"]), max_size=4).map(lambda o: f"RETURN ({' '.join(o)})")
CRITERIA = st.lists(st.sampled_from([
    "ARRIVAL", "DATE", "SUBJECT", "FROM", "TO", "CC", "SIZE", "REVERSE", "DISPLAYFROM",
    "DISPLAYTO", "RELEVANCY", "X"]), max_size=3).map(lambda o: f"({' '.join(o)})")
MESSAGES = [
    "{3+}\r\nabc", "(\\Seen) {3+}\r\na\0c", "{0+}\r\n", "~{1+}\r\nx", "{9}\r\n",
    "UTF8 (~{4+}\r\n\xc3\xbc:b)", 'CATENATE (TEXT {2+}\r\na: URL "/INBOX/;UID=1")',
    'CATENATE (URL ";UID=2/;SECTION=1/;PARTIAL=1.2" TEXT ~{1+}\r\n\0)', "CATENATE (",
    'CATENATE (URL "/Work/;UID=1/;SECTION=HEADER.FIELDS%20(a)" URL x)',
]
URLS = st.sampled_from([
    '"imap://alice%40example.test@localhost/INBOX/;UID=1;URLAUTH=anonymous"',
    "imap://bob@localhost/x/;UID=1;URLAUTH=user+a:INTERNAL:" + "0a" * 33, "INBOX", '""',
    '"imap://alice%40example.test@localhost/INBOX/;UID=1;EXPIRE=9;URLAUTH=authuser"', "a b",
])
EVENTS = st.one_of(st.just("NONE"), st.lists(st.sampled_from([
    "MessageNew", "MessageExpunge", "FlagChange", "MessageNew (UID BODY.PEEK[1]<0.3>)",
    "MessageNew (UID BINARY.PEEK[1]) MessageExpunge", "MessageNew (", "MailboxName",
    "SubscriptionChange", "MailboxMetadataChange", "ServerMetadataChange", "X",
    "MessageNew MessageExpunge FlagChange", "AnnotationChange",
    ]), max_size=3).map(lambda e: f"({' '.join(e)})"))
GROUPS = st.lists(st.tuples(st.sampled_from([
    "selected", "selected-delayed", "personal", "inboxes", "subscribed", "subtree Work",
    'subtree ("" Shared)', "mailboxes (INBOX a//b)", "mailboxes {3+}\r\na\rb", "x",
    ]), EVENTS).map(lambda g: f"({g[0]} {g[1]})"), max_size=3).map(" ".join)
NOTIFIES = ["(selected (MessageNew (UID BODY.PEEK[]) MessageExpunge FlagChange)) (personal (MailboxName MessageNew MessageExpunge FlagChange MailboxMetadataChange))", "STATUS (selected-delayed (MessageNew MessageExpunge)) (subscribed (SubscriptionChange)) (subtree (Work a) (MailboxName MessageNew MessageExpunge))", "(selected NONE) (inboxes (ServerMetadataChange FlagChange MessageNew MessageExpunge))"]
COMMANDS = st.one_of(
    st.tuples(st.sampled_from(["", "UID"]), st.just("FETCH"), SETS, ITEMS),
    st.tuples(st.sampled_from(["", "UID"]), st.just("STORE"), SETS,
              st.sampled_from(["FLAGS", "+FLAGS.SILENT", "-FLAGS", "(UNCHANGEDSINCE 1) FLAGS"]),
              FLAGS),
    st.tuples(st.sampled_from(["", "UID"]), st.sampled_from(["COPY", "MOVE"]), SETS, NAMES),
    st.tuples(st.sampled_from(["SEARCH", "UID SEARCH", "SEARCH RETURN (SAVE COUNT MIN)",
                               "SEARCH CHARSET UTF-8", "SEARCH CHARSET KOI8-R"]), KEYS),
    st.tuples(st.sampled_from(["SEARCH", "UID SEARCH"]), RETURNS, KEYS),
    st.tuples(st.sampled_from(["SORT", "UID SORT"]), st.one_of(st.just(""), RETURNS),
              CRITERIA, st.sampled_from(["UTF-8", "US-ASCII", "X"]), KEYS),
    st.tuples(st.sampled_from(["THREAD", "UID THREAD"]),
              st.sampled_from(["REFERENCES", "REFS", "ORDEREDSUBJECT", "X"]),
              st.just("UTF-8"), KEYS),
    st.tuples(st.just("ESEARCH"), st.sampled_from([
        "", "IN (selected)", "IN (personal)", "IN (subtree Work mailboxes (INBOX Work))",
        "IN (subscribed", "IN (inboxes subtree-one \"\")"]), st.one_of(st.just(""), RETURNS),
        KEYS),
    st.sampled_from(["1:*", "2,4"]).flatmap(lambda s: st.tuples(
        st.just(f"UID FETCH {s} (FLAGS)"), st.sampled_from([
            "(PARTIAL 1:2)", "(PARTIAL -1:-1 CHANGEDSINCE 1)", "(PARTIAL 0:1)"]))),
    st.tuples(st.sampled_from(["SELECT", "EXAMINE", "CREATE", "DELETE", "SUBSCRIBE",
                               "UNSUBSCRIBE"]), NAMES),
    st.tuples(st.just("RENAME"), NAMES, NAMES),
    st.tuples(st.sampled_from(["NOTIFY SET", "NOTIFY SET STATUS", "NOTIFY"]), GROUPS),
    st.sampled_from([f"NOTIFY SET {one}" for one in NOTIFIES]).map(lambda n: (n,)),
    st.tuples(st.sampled_from(["LIST", "LSUB", "XLIST", "LIST (SUBSCRIBED)"]), NAMES,
              st.sampled_from(["*", "%", '""', "(a b)", "* RETURN (STATUS (SIZE))"])),
    st.tuples(st.just("STATUS"), NAMES, st.sampled_from(["(MESSAGES RECENT)", "()", "(X)"])),
    st.tuples(st.just("APPEND"), NAMES, st.sampled_from(
        MESSAGES)),
    st.tuples(st.sampled_from(["REPLACE", "UID REPLACE"]), SETS, NAMES,
              st.sampled_from(MESSAGES)),
    st.tuples(st.sampled_from(["URLFETCH", "RESETKEY"]), URLS),
    st.tuples(st.just("GENURLAUTH"), URLS, st.sampled_from(["INTERNAL", "X"])),
    st.tuples(st.sampled_from([
        "NOOP", "CAPABILITY", "EXPUNGE", "UID EXPUNGE 1:*", "CLOSE", "UNSELECT", "IDLE",
        "DONE", "ENABLE IMAP4rev2", "ENABLE CONDSTORE X", "NAMESPACE", "ID NIL", "CHECK",
        'CANCELUPDATE "t"', "STORE 1:2 +FLAGS (\\Deleted)", "CANCELUPDATE t",
        "STARTTLS", "LOGOUT", "UNAUTHENTICATE", "LANGUAGE", "LANGUAGE de", "LANGUAGE x-y *",
        "LANGUAGE default", 'ID ("name" "x")', "LOGIN a b", "AUTHENTICATE PLAIN", "UID", "FETCH",
    ])),
)
# fmt: on


def line(words: tuple[str, ...]) -> bytes:
    return f"t {' '.join(word for word in words if word)}\r\n".encode()


LINES = COMMANDS.map(line)
RAW = st.binary(max_size=40)
CHUNKS = st.lists(st.one_of(LINES, LINES, LINES, LINES, RAW), max_size=8)


@pytest.fixture
def world(alice: "User", caplog: pytest.LogCaptureFixture) -> "User":
    caplog.set_level(logging.ERROR)
    views.clear()
    fill(alice, "INBOX", ["1s", "2", "4d"])
    fill(alice, "Work", ["1"])
    return alice


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=150,
)
@given(chunks=CHUNKS, selected=st.booleans())
def test_replies_follow_the_grammar(
    world: "User", chunks: list[bytes], *, selected: bool
) -> None:
    player = Player(Connection(session()), write)
    player.hear(f'x LOGIN alice@example.test "{PASSWORD}"\r\n'.encode())
    if selected:
        player.hear(b"y SELECT INBOX\r\n")
    for chunk in chunks:
        player.hear(chunk)
        player.look()
    player.steps.close()
    said = bytes(player.said)
    assert b"SERVERBUG" not in said, (chunks, said[-200:])
    assert b"Internal error" not in said, (chunks, said[-200:])
    responses(said)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=100,
)
@given(chunks=CHUNKS)
def test_before_login(db: None, chunks: list[bytes]) -> None:
    player = Player(Connection(session()), write)
    for chunk in chunks:
        player.hear(chunk)
    player.steps.close()
    assert b"SERVERBUG" not in player.said
    responses(bytes(player.said))
    assert not re.search(rb"^\* \d+ FETCH", player.said, re.MULTILINE)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=100,
)
@given(
    chunks=st.lists(LINES, max_size=8),
    asked=st.sampled_from(NOTIFIES),
    enabled=st.sampled_from(["CONDSTORE", "QRESYNC", "IMAP4rev2", "UIDONLY"]),
    between=st.sampled_from(
        [b"", b"n NOOP\r\n", b"n FETCH 1 FLAGS\r\n", b"n IDLE\r\n"]
    ),
)
def test_what_is_told_unasked_follows_the_grammar(
    world: "User", chunks: list[bytes], asked: str, enabled: str, between: bytes
) -> None:
    login = f'x LOGIN alice@example.test "{PASSWORD}"\r\ny SELECT INBOX\r\n'.encode()
    acting, told = (Player(Connection(session()), write) for _ in range(2))
    acting.hear(login)
    told.hear(login + f"z ENABLE {enabled}\r\nz NOTIFY SET {asked}\r\n".encode())
    for chunk in chunks:
        acting.hear(chunk)
        told.look()
        told.hear(between)
    for player in (acting, told):
        player.steps.close()
        said = bytes(player.said)
        assert b"SERVERBUG" not in said, (chunks, said[-200:])
        assert b"Internal error" not in said, (chunks, said[-200:])
        responses(said)
