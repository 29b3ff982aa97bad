"""POP3 over real sockets, with poplib."""

import poplib
import socket
import time
from collections.abc import Generator
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import User
from mailhost.mail.models import BlobChunk
from mailhost.store import change
from mailhost.store.gate import gate
from protocols.pop3 import server, standing
from tests.conftest import PASSWORD
from tests.servers import client_tls, running
from tests.unit.pop3.inbox import fill

pytestmark = pytest.mark.django_db(transaction=True)

BIG = b"Subject: big\r\n\r\n" + b"".join(
    b".%07d%s\r\n" % (n, b"x" * 60) for n in range(60_000)
)


@pytest.fixture
def ports() -> Generator[dict[str, int]]:
    with running(protocols=["pop3"]) as found:
        yield found


def log_in(client: poplib.POP3) -> poplib.POP3:
    client.user("alice@example.test")
    client.pass_(PASSWORD)
    return client


def open_plain(ports: dict[str, int]) -> poplib.POP3:
    return log_in(poplib.POP3("127.0.0.1", ports["pop3"], timeout=20))


def text(client: poplib.POP3, number: int) -> bytes:
    return b"".join(line + b"\r\n" for line in client.retr(number)[1])


def reply(client: poplib.POP3, reader: str) -> Any:
    """Read an answer to what was sent past poplib."""
    return getattr(client, reader)()


def test_a_session(ports: dict[str, int], alice: User) -> None:
    fill(alice, [b"A: 1\r\n\r\n.one\r\n", b"B: 2\r\n\r\ntwo\r\n"])
    client = open_plain(ports)
    assert client.stat() == (2, 27)
    assert text(client, 1) == b"A: 1\r\n\r\n.one\r\n"
    client.dele(1)
    client.quit()
    client = open_plain(ports)
    assert client.stat() == (1, 13)
    client.quit()


def test_a_lost_connection_removes_nothing(ports: dict[str, int], alice: User) -> None:
    fill(alice, [b"A: 1\r\n\r\n"])
    client = open_plain(ports)
    client.dele(1)
    client.close()
    client = open_plain(ports)
    assert client.stat()[0] == 1
    client.quit()


def test_a_big_message_arrives_whole(ports: dict[str, int], alice: User) -> None:
    fill(alice, [BIG])
    client = open_plain(ports)
    assert text(client, 1) == BIG
    top = client.top(1, 3)[1]
    assert len(top) == 5
    assert top[2].startswith(b".0000000")
    client.quit()


def test_a_client_that_does_not_read_is_waited_for(
    ports: dict[str, int], alice: User
) -> None:
    fill(alice, [BIG])
    slow = open_plain(ports)
    for _ in range(5):
        slow.sock.sendall(b"RETR 1\r\n")
    quick = open_plain(ports)
    assert text(quick, 1) == BIG
    quick.quit()
    for _ in range(5):
        assert reply(slow, "_getresp").startswith(b"+OK")
        while reply(slow, "_getline")[0] != b".":
            pass
    assert slow.stat()[0] == 1
    slow.quit()


def test_expunged_elsewhere_and_still_readable(
    ports: dict[str, int], alice: User
) -> None:
    account, inbox = fill(alice, [b"A: 1\r\n\r\none\r\n"])
    client = open_plain(ports)
    gate.write_sync([account], lambda: change.expunge(account, inbox, [1], force=True))
    assert text(client, 1) == b"A: 1\r\n\r\none\r\n"
    client.dele(1)
    client.quit()


def test_one_after_the_other_is_read_ahead(ports: dict[str, int], alice: User) -> None:
    texts = [b"A: %d\r\n\r\n" % n + b".x\r\n" * (n * 500) for n in range(30)]
    texts[7] = BIG
    fill(alice, texts)
    client = open_plain(ports)
    client.dele(4)
    order = [*(n for n in range(1, 31) if n != 4), 30, 2, 1, 3]
    for n in order:
        assert text(client, n) == texts[n - 1]
    client.quit()


def test_pipelined_fetches_are_answered_in_order(
    ports: dict[str, int], alice: User
) -> None:
    texts = [b"A: %d\r\n\r\n" % n + (b"x" * 98 + b"\r\n") * 600 for n in range(20)]
    fill(alice, texts)
    client = open_plain(ports)
    client.sock.sendall(b"".join(b"RETR %d\r\n" % (n + 1) for n in range(20)))
    for expected in texts:
        assert reply(client, "_getresp") == b"+OK %d octets" % len(expected)
        got = b""
        while (line := reply(client, "_getline")[0]) != b".":
            got += line + b"\r\n"
        assert got == expected
    client.quit()


def test_what_was_read_ahead_is_not_told_after_a_revocation(
    ports: dict[str, int], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "CHECK_SECONDS", 0.0)
    fill(alice, [b"A: 1\r\n\r\n", b"B: 2\r\n\r\n"])
    client = open_plain(ports)
    assert text(client, 1) == b"A: 1\r\n\r\n"
    User.objects.filter(pk=alice.pk).update(is_active=False)
    client.sock.sendall(b"RETR 2\r\n")
    assert reply_error(client) == "-ERR [AUTH] Log in again"
    client.close()


def test_a_message_whose_octets_are_gone_is_refused(
    ports: dict[str, int], alice: User
) -> None:
    fill(alice, [b"A: 1\r\n\r\n", BIG])
    client = open_plain(ports)
    BlobChunk.objects.all().delete()
    for number in (1, 2):
        client.sock.sendall(b"RETR %d\r\n" % number)
        assert reply_error(client) == "-ERR This message is gone"
    client.quit()


def test_tls_from_the_start(ports: dict[str, int], alice: User) -> None:
    fill(alice, [BIG])
    client = poplib.POP3_SSL(
        "localhost", ports["pop3s"], timeout=20, context=client_tls()
    )
    log_in(client)
    assert "STLS" not in client.capa()
    assert text(client, 1) == BIG
    client.quit()


def test_stls(ports: dict[str, int], alice: User) -> None:
    fill(alice, [BIG])
    client = poplib.POP3("localhost", ports["pop3"], timeout=20)
    assert "STLS" in client.capa()
    client.user("mallory@example.test")  # said in the clear: forgotten
    client.stls(client_tls())
    with pytest.raises(poplib.error_proto, match="USER comes first"):
        client.pass_(PASSWORD)
    log_in(client)
    assert text(client, 1) == BIG
    client.quit()


def test_what_follows_stls_in_the_clear_is_forgotten(ports: dict[str, int]) -> None:
    with socket.create_connection(("localhost", ports["pop3"]), timeout=5) as sock:
        assert sock.recv(100).startswith(b"+OK")
        sock.sendall(b"STLS\r\nUSER injected@example.test\r\n")
        assert sock.recv(100) == b"+OK Begin TLS now\r\n"
        with client_tls().wrap_socket(sock, server_hostname="localhost") as tls:
            tls.sendall(b"PASS x\r\n")
            assert tls.recv(100) == b"-ERR USER comes first\r\n"


@pytest.mark.parametrize("command", [b"RETR 1", b"TOP 1 0", b"QUIT"])
def test_a_revoked_login_reads_and_removes_nothing(
    ports: dict[str, int], alice: User, command: bytes
) -> None:
    fill(alice, [b"A: 1\r\n\r\n", b"B: 2\r\n\r\n"])
    client = open_plain(ports)
    client.dele(2)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    client.sock.sendall(command + b"\r\n")
    assert reply_error(client) == "-ERR [AUTH] Log in again"
    client.close()
    User.objects.filter(pk=alice.pk).update(is_active=True)
    client = open_plain(ports)
    assert client.stat()[0] == 2
    client.quit()


def reply_error(client: poplib.POP3) -> str:
    with pytest.raises(poplib.error_proto) as caught:
        reply(client, "_getresp")
    return str(caught.value.args[0], "ascii")


def test_three_wrong_passwords_end_it(
    ports: dict[str, int], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "FAILED_LOGIN_SECONDS", 0.0)
    client = poplib.POP3("127.0.0.1", ports["pop3"], timeout=20)
    for _ in range(3):
        client.user("alice@example.test")
        with pytest.raises(poplib.error_proto, match=r"\[AUTH\] "):
            client.pass_("wrong")
    with pytest.raises((poplib.error_proto, OSError)):
        client.noop()
    client.close()


def test_a_half_closed_client_gets_its_answers(
    ports: dict[str, int], alice: User
) -> None:
    fill(alice, [b"A: 1\r\n\r\n"])
    with socket.create_connection(("127.0.0.1", ports["pop3"]), timeout=5) as sock:
        sock.sendall(
            b"USER alice@example.test\r\nPASS " + PASSWORD.encode() + b"\r\nSTAT\r\n"
        )
        sock.shutdown(socket.SHUT_WR)
        assert sock.makefile("rb").read().endswith(b"+OK 1 8\r\n")


def test_a_line_without_end_is_cut_off(ports: dict[str, int]) -> None:
    with socket.create_connection(("127.0.0.1", ports["pop3"]), timeout=5) as sock:
        sock.recv(100)
        sock.sendall(b"x" * 9000)
        assert sock.recv(100) == b"-ERR Line too long\r\n"


def test_a_bug_is_told_without_its_inside(
    ports: dict[str, int], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(server, "open_drop", broken)
    client = poplib.POP3("127.0.0.1", ports["pop3"], timeout=20)
    client.user("alice@example.test")
    with pytest.raises(poplib.error_proto, match=r"\[SYS/TEMP\] Internal error"):
        client.pass_(PASSWORD)
    client.quit()


def test_who_does_not_log_in_is_let_go(settings: Settings) -> None:
    settings.MAILHOST_LOGIN_TIMEOUT_SECONDS = 0.1
    with (
        running(protocols=["pop3"]) as ports,
        socket.create_connection(("127.0.0.1", ports["pop3"]), timeout=5) as sock,
    ):
        began = time.monotonic()
        assert sock.makefile("rb").read() == b"+OK mailhost POP3 ready\r\n"
        assert time.monotonic() - began < 4


def test_stopping_says_why() -> None:
    with running(protocols=["pop3"]) as ports:
        sock = socket.create_connection(("127.0.0.1", ports["pop3"]), timeout=5)
        file = sock.makefile("rb")
        file.readline()
    with sock, file:
        assert file.read() == b"-ERR [SYS/TEMP] Server is going down\r\n"
