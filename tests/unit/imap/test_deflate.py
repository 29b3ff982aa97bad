"""Streams: what every kind of flush makes readable, sleep in the middle, bombs."""

import contextlib
import random
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.imap import deflate
from protocols.imap.deflate import Broken, Deflate

FLUSHES = [zlib.Z_SYNC_FLUSH, zlib.Z_PARTIAL_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_BLOCK]


@pytest.fixture(autouse=True)
def nobody_awake() -> Iterator[None]:
    deflate._awake.clear()
    yield
    deflate._awake.clear()


def unfolded(stream: Deflate, octets: bytes) -> bytes:
    stream.feed(octets)
    found = b""
    while some := stream.inflate():
        found += some
    return found


def lines(seed: int) -> list[bytes]:
    """Return commands, some with octets that do not compress."""
    dice = random.Random(seed)
    return [
        b"a%d UID FETCH %d:* (FLAGS)\r\n" % (n, dice.randrange(9))
        if dice.random() < 0.8
        else b"b APPEND x {9}\r\n" + dice.randbytes(dice.randrange(60_000))
        for n in range(40)
    ]


@pytest.mark.parametrize("flush", FLUSHES[:3])
@pytest.mark.parametrize("bits", [-9, -15])
@pytest.mark.parametrize("sleeps", [False, True])
def test_each_flush_can_be_read_at_once(flush: int, bits: int, *, sleeps: bool) -> None:
    client = zlib.compressobj(6, zlib.DEFLATED, bits)
    stream = Deflate()
    for line in lines(bits):
        sent = client.compress(line) + client.flush(flush)
        if flush == zlib.Z_PARTIAL_FLUSH:  # bits of it may stay with the client
            sent += client.flush(flush)
        assert unfolded(stream, sent) == line
        if sleeps:
            stream.sleep()


@pytest.mark.parametrize("flush", FLUSHES)
def test_sleep_between_any_two_octets_loses_nothing(flush: int) -> None:
    client = zlib.compressobj(6, zlib.DEFLATED, -15)
    text = b"".join(lines(5)[:6])
    sent = client.compress(text) + client.flush(flush)
    stream, found = Deflate(), b""
    for n in range(2000):
        found += unfolded(stream, sent[n : n + 1])
        stream.sleep()
    found += unfolded(stream, sent[2000:])
    assert text.startswith(found)
    assert len(found) > len(text) * 0.9


def holds(stream: Deflate) -> list[bool]:
    """Tell whether there is a state of zlib for each way."""
    return [stream._in is not None, stream._out is not None]


def test_a_sleeper_holds_no_state_of_zlib() -> None:
    client = zlib.compressobj(6, zlib.DEFLATED, -15)
    stream = Deflate()
    line = b"a NOOP\r\n"
    unfolded(stream, client.compress(line) + client.flush(zlib.Z_SYNC_FLUSH))
    stream.compress(b"a OK\r\n")
    assert holds(stream) == [True, True]
    stream.sleep()
    assert holds(stream) == [False, False]
    assert len(stream._packed) < 50


def test_what_goes_out_is_one_stream_over_sleeps() -> None:
    stream, client = Deflate(), zlib.decompressobj(-15)
    for n, line in enumerate(lines(7)):
        assert client.decompress(stream.compress(line)) == line
        if n % 3 == 0:
            stream.sleep()


def test_only_the_last_used_stay_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deflate, "MOST_AWAKE", 2)
    streams = [Deflate() for _ in range(4)]
    for stream in streams:
        stream.compress(b"a")
    streams[2].compress(b"a")
    assert [s._out is not None for s in streams] == [False, False, True, True]
    streams[3].close()
    assert list(deflate._awake) == [streams[2]]


def test_a_bomb_comes_in_pieces_and_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deflate, "GIVEN", 1 << 20)
    client = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = client.compress(bytes(1 << 24)) + client.flush(zlib.Z_SYNC_FLUSH)
    stream = Deflate()
    stream.feed(bomb)
    assert len(stream.inflate()) == deflate.PIECE
    with pytest.raises(Broken, match="too much"):
        unfolded(stream, b"")
    assert stream._unfolded < 4 << 20


def test_other_octets_are_refused() -> None:
    stream = Deflate()
    stream.feed(b"a NOOP\r\n" * 10)
    with pytest.raises(Broken, match="not DEFLATE"):
        stream.inflate()


@given(st.lists(st.tuples(st.binary(max_size=60), st.booleans()), max_size=12))
def test_any_octets_are_read_or_refused(sent: list[tuple[bytes, bool]]) -> None:
    stream = Deflate()
    with contextlib.suppress(Broken):
        for octets, sleeps in sent:
            unfolded(stream, octets)
            if sleeps:
                stream.sleep()


@given(
    st.lists(
        st.tuples(st.binary(max_size=300), st.sampled_from(FLUSHES), st.booleans()),
        max_size=20,
    )
)
def test_sleep_anywhere_loses_nothing(
    sent: list[tuple[bytes, int, bool]],
) -> None:
    client, stream, found = zlib.compressobj(9, zlib.DEFLATED, -15), Deflate(), b""
    for octets, flush, sleeps in sent:
        found += unfolded(stream, client.compress(octets) + client.flush(flush))
        if sleeps:
            stream.sleep()
    found += unfolded(stream, client.flush(zlib.Z_SYNC_FLUSH))
    assert found == b"".join(octets for octets, _, _ in sent)


def test_nothing_is_read_behind_the_end_of_the_stream() -> None:
    stream = Deflate()
    ended = zlib.compressobj(6, zlib.DEFLATED, -15)
    assert unfolded(stream, ended.compress(b"x") + ended.flush() + b"junk") == b"x"
    assert unfolded(stream, b"more") == b""
