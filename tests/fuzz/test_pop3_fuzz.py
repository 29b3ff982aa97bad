"""Arbitrary octets: the server answers or closes, and never shows a bug of its own."""

from array import array

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts.auth import Login
from protocols.common.proxy import BadProxyHeader, Header, parse
from protocols.pop3.actions import Pages, Say
from protocols.pop3.commands import COMMANDS
from protocols.pop3.connection import Connection
from protocols.pop3.framing import Framer
from protocols.pop3.maildrop import Maildrop, Place
from protocols.pop3.policy import Policy
from protocols.pop3.session import Session, State
from protocols.pop3.standing import Standing
from protocols.pop3.stuffing import Dots, Top

WORDS = st.sampled_from([*COMMANDS, b" ", b"1", b"2 0", b"99999999999", b"\r\n", b"="])
CHUNKS = st.lists(WORDS | st.binary(max_size=20) | st.just(b"\r\n"), max_size=20)
BODIES = st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\r\n."]))


def maildrop() -> Maildrop:
    standing = Standing(Login(1, 1, "alice@example.test"), 1)
    columns = (array("q", [3, 9]), array("q", [1, 2]), array("q", [5, 6]))
    return Maildrop(standing, Policy(), (Place(1, 7),), array("H"), *columns)


@pytest.mark.parametrize("state", list(State))
@settings(deadline=None)
@given(CHUNKS)
def test_never_a_server_bug(state: State, chunks: list[bytes]) -> None:
    session = Session(may_log_in=True, offers_stls=True)
    session.maildrop = maildrop() if state is State.TRANSACTION else None
    connection = Connection(session, Framer(100))
    for chunk in chunks:
        connection.framer.feed(chunk)
        while (action := connection.next_action()) is not None:
            said = action.octets if isinstance(action, Say) else b""
            if isinstance(action, Pages):
                said = b"".join(action.pieces)
                assert said.endswith(b"\r\n.\r\n")
            assert b"SYS/TEMP" not in said
            assert len(said) < 600


@given(BODIES, st.integers(1, 9))
def test_stuffing_can_be_undone(parts: list[bytes], size: int) -> None:
    body, dots = b"".join(parts), Dots()
    sent = b"".join(dots.feed(body[i : i + size]) for i in range(0, len(body), size))
    sent += dots.end()
    assert sent.endswith(b".\r\n")
    assert b"\r\n.\r\n" not in (b"\r\n" + sent)[:-3]
    got = (b"\r\n" + sent[:-3]).replace(b"\r\n.", b"\r\n")[2:]
    assert got in {body, body + b"\r\n"}


@example([b"\r", b"\r", b"\n", b"\r"], 0, 1)  # a CR alone does not make a line empty
@given(BODIES, st.integers(0, 5), st.integers(1, 9))
def test_top_is_a_start(parts: list[bytes], lines: int, size: int) -> None:
    body, top, one = b"".join(parts), Top(lines), Top(lines)
    kept = b"".join(top.feed(body[i : i + size]) for i in range(0, len(body), size))
    assert body.startswith(kept)
    assert kept == one.feed(body)


@given(st.sampled_from([b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0"]), st.binary())
def test_proxy_headers(start: bytes, rest: bytes) -> None:
    try:
        found = parse(start + rest)
    except BadProxyHeader:
        return
    if isinstance(found, Header):
        assert found.length <= len(start + rest)
