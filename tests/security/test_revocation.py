"""What is revoked in one process ends in all of them; who is connected is known."""

import imaplib
import json
import poplib
import smtplib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT, Installation


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("site"), users=2) as made:
        made.settings["MAILHOST_ACCESS_TOKENS"] = "yes"
        made.start("--only", "imap,pop3,smtp", workers=2)
        yield made


def run(site: Installation, *words: str, said: str = "") -> str:
    return subprocess.run(
        site.manage(*words),
        cwd=ROOT,
        env=site.environment(),
        input=said,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def connect(site: Installation, user: int, password: str) -> list[socket.socket]:
    """Log in several times by each protocol: each worker has some of them."""
    login, found = site.address(user), []
    for _ in range(4):
        imap = imaplib.IMAP4("127.0.0.1", site.ports["imap"], timeout=20)
        imap.xatom("ID", '("name" "Pine" "version" "4")')
        imap.login(login, password)
        pop3 = poplib.POP3("127.0.0.1", site.ports["pop3"], timeout=20)
        pop3.user(login)
        pop3.pass_(password)
        smtp = smtplib.SMTP("127.0.0.1", site.ports["submission"], timeout=20)
        smtp.login(login, password)
        assert smtp.sock is not None
        found += [imap.socket(), pop3.sock, smtp.sock]
        KEPT.extend([imap, pop3, smtp])  # collected, they would close
    return found


KEPT: list[object] = []


def ends(sock: socket.socket) -> bool:
    """Tell whether the server closes; waits for it as long as the socket's timeout."""
    try:
        while sock.recv(4096):
            pass
    except TimeoutError:
        return False
    return True


def who(site: Installation, login: str, at_least: int) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for _ in range(40):  # each look takes a process of its own
        found = json.loads(run(site, "who", login, "--json"))
        if len(found) >= at_least:
            return found
    raise AssertionError(found)


def test_a_new_password_ends_sessions_everywhere(site: Installation) -> None:
    old = connect(site, 1, site.password)
    other = connect(site, 2, site.password)
    run(
        site, "setpassword", site.address(1), "--password-stdin",
        said="a much better one, 4711\n",
    )  # fmt: skip
    assert all(ends(sock) for sock in old)
    # Whoever comes with the new one stays, though the revocation is just written.
    new = connect(site, 1, "a much better one, 4711")
    for sock in [*other, *new]:
        sock.settimeout(0.7)
        assert not ends(sock)
    run(site, "kick", site.address(1))


def test_who_is_connected_and_who_is_sent_away(site: Installation) -> None:
    mine = connect(site, 2, site.password)
    login = site.address(2)
    rows = who(site, login, len(mine))
    assert {row["service"] for row in rows} == {"imap", "pop3", "submission"}
    assert {row["address"] for row in rows} == {"127.0.0.1"}
    assert "Pine 4" in {row["client"] for row in rows}
    assert len({row["process"] for row in rows}) == 2
    table = run(site, "who")
    assert login in table
    assert "Pine 4" in table
    ended = json.loads(run(site, "kick", rows[0]["connection"], "--json"))
    assert [row["connection"] for row in ended] == [rows[0]["connection"]]
    run(site, "kick", login)
    assert all(ends(sock) for sock in mine)
    with pytest.raises(subprocess.CalledProcessError):
        run(site, "kick", "nobody@test.local")
    again = imaplib.IMAP4("127.0.0.1", site.ports["imap"], timeout=20)
    again.login(login, site.password)
    again.logout()


ISSUE = """
from accounts import tokens
from accounts.models import User
user = User.objects.get(email="{}")
print(tokens.issue(user.pk, ["imap"], "program", {})[1])
"""
REVOKE = """
from allauth.idp.oidc.models import Token
Token.objects.by_value("{}").delete()
"""


def by_token(site: Installation, token: str) -> imaplib.IMAP4:
    imap = imaplib.IMAP4("127.0.0.1", site.ports["imap"], timeout=20)
    said = f"user={site.address(2)}\1auth=Bearer {token}\1\1".encode()
    imap.authenticate("XOAUTH2", lambda _: said)
    KEPT.append(imap)
    return imap


def test_a_token_that_is_gone_ends_what_it_opened(site: Installation) -> None:
    kept, gone = (
        run(site, "shell", "-v", "0", "-c", ISSUE.format(site.address(2), 3600)).strip()
        for _ in range(2)
    )
    stays, goes = by_token(site, kept), by_token(site, gone)
    run(site, "shell", "-v", "0", "-c", REVOKE.format(gone))
    goes.socket().settimeout(1.0)  # and some of it was spent while the command ended
    assert ends(goes.socket())
    # What expires ends, too, with nobody's doing.
    short = run(site, "shell", "-v", "0", "-c", ISSUE.format(site.address(2), 8))
    assert ends(by_token(site, short.strip()).socket())
    assert stays.noop()[0] == "OK"
    stays.logout()


def test_a_stopped_server_leaves_nobody_connected(
    site: Installation, tmp_path: Path
) -> None:
    connect(site, 2, site.password)
    who(site, site.address(2), 12)
    site.stop(30)
    assert json.loads(run(site, "who", "--json")) == []
