"""msmtp (GNU SASL) and curl sign in by mechanisms that were not written by us."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts import apppasswords, tokens
from accounts.models import User
from mailhost.certificates.contexts import Certificate
from tests.certificates import Authority
from tests.clients.site import SECONDS
from tests.servers import running

pytestmark = pytest.mark.django_db(transaction=True)
LETTER = b"From: alice@example.test\nTo: alice@example.test\nSubject: hello\n\nhello\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def ports(authority: Authority, settings: Settings) -> Iterator[dict[str, int]]:
    settings.MAILHOST_CLIENT_CA = str(authority.file)
    settings.MAILHOST_APP_PASSWORDS_ONLY = settings.MAILHOST_SCRAM_SHA1 = True
    settings.MAILHOST_ACCESS_TOKENS = True
    chain, key = authority.sign("server", dns=("localhost",))
    certificate = Certificate(chain, key, ca=authority.file)
    with running(["imap", "pop3", "smtp"], certificate_=certificate) as found:
        yield found


def run(home: Path, *words: object, octets: bytes = b"") -> int:
    program = shutil.which(str(words[0])) or pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(
        [program, *map(str, words[1:])],
        input=octets,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode


def credential(user: User, method: str, scope: str) -> str:
    """Return what a program is configured with."""
    if method.lower() in {"oauthbearer", "xoauth2"}:
        return tokens.issue(user.pk, [scope], "program")[1]
    return apppasswords.create(user.pk, "program", [scope])[1]


METHODS = [
    *("plain", "login", "scram-sha-1", "scram-sha-256"),
    *("external", "oauthbearer", "xoauth2"),
]


@pytest.mark.parametrize("method", METHODS)
def test_msmtp(
    ports: dict[str, int], authority: Authority, alice: User, tmp_path: Path,
    method: str,
) -> None:  # fmt: skip
    said = subprocess.run(["msmtp", "--version"], capture_output=True, check=False)
    if f" {method}".encode() not in said.stdout.replace(b"\n", b" "):
        pytest.skip(f"this msmtp has no {method}")
    chain, key = authority.sign("alice", emails=(alice.email,))

    def send(secret: str) -> int:
        (tmp_path / "msmtprc").write_text(
            f"account default\nhost localhost\nport {ports['submissions']}\n"
            f"auth {method}\nuser {alice.email}\npassword {secret}\n"
            f"from {alice.email}\ntls on\ntls_starttls off\n"
            f"tls_trust_file {authority.file}\n"
            f"tls_cert_file {chain}\ntls_key_file {key}\n"
        )
        (tmp_path / "msmtprc").chmod(0o600)
        config = ("-C", tmp_path / "msmtprc")
        return run(tmp_path, "msmtp", *config, alice.email, octets=LETTER)

    assert send(credential(alice, method, "smtp")) == 0
    if method != "external":
        assert send(credential(alice, method, "imap")) != 0
    alice.is_active = False
    alice.save()
    assert send(credential(alice, method, "smtp")) != 0


@pytest.mark.parametrize("scheme", ["imaps", "pop3s"])
@pytest.mark.parametrize("method", ["PLAIN", "XOAUTH2", "OAUTHBEARER", "EXTERNAL"])
def test_curl(
    ports: dict[str, int], authority: Authority, alice: User, tmp_path: Path,
    scheme: str, method: str,
) -> None:  # fmt: skip
    protocol = scheme.removesuffix("s")
    chain, key = authority.sign("alice", emails=(alice.email,))

    def read(scope: str) -> int:
        secret = credential(alice, method, scope)
        words: list[object] = [
            *("curl", "-sS", f"{scheme}://localhost:{ports[scheme]}/", "--cacert"),
            *(authority.file, "--login-options", f"AUTH={method}", "-u"),
        ]
        if method == "PLAIN":
            words += [f"{alice.email}:{secret}"]
        elif method == "EXTERNAL":
            words += [f"{alice.email}:", "--cert", chain, "--key", key]
        else:
            words += [f"{alice.email}:", "--oauth2-bearer", secret]
        return run(tmp_path, *words)

    assert read(protocol) == 0
    if method != "EXTERNAL":
        assert read("smtp") != 0
    alice.is_active = False
    alice.save()
    assert read(protocol) != 0
