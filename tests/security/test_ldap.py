"""Logins by another of Django's backends: django-auth-ldap against a real slapd."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import is_password_usable
from django.test import Client
from pytest_django import Settings

from accounts import afterwards, auth, passwords
from accounts.claims import Password
from accounts.models import Domain, LoginFailures, User
from protocols.imap.errors import login_refusal
from protocols.pop3.connection import Connection
from protocols.pop3.framing import Framer
from protocols.pop3.session import Session
from protocols.sasl import At, offered
from protocols.smtp.login import _reply as smtp_reply
from tests.conftest import PASSWORD

SLAPD = shutil.which("slapd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/lib/openldap")
pytest.importorskip("django_auth_ldap", reason="no django-auth-ldap")
import ldap  # noqa: E402 -- not there without the other
from django_auth_ldap.config import LDAPSearch  # noqa: E402

pytestmark = [
    pytest.mark.skipif(SLAPD is None, reason="no slapd"),
    pytest.mark.engines,
    pytest.mark.django_db,
]
SCHEMA = Path("/etc/ldap/schema")
START_SECONDS = 20
CONFIGURATION = """
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
pidfile {folder}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=example,dc=test"
directory {folder}/data
"""
ENTRIES = """
dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: mail=carol@example.test,dc=example,dc=test
objectClass: inetOrgPerson
mail: carol@example.test
cn: Carol Cole
sn: Cole
userPassword: her own secret
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a directory that knows carol."""
    assert SLAPD is not None
    folder = tmp_path_factory.mktemp("slapd")
    (folder / "data").mkdir()
    file = folder / "slapd.conf"
    file.write_text(CONFIGURATION.format(schema=SCHEMA, folder=folder))
    subprocess.run(
        [SLAPD, "-T", "add", "-f", str(file)], input=ENTRIES, text=True, check=True,
        capture_output=True,
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    uri = f"ldap://127.0.0.1:{port}"
    process = subprocess.Popen(
        [SLAPD, "-d", "0", "-f", str(file), "-h", uri], stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            assert process.poll() is None, "slapd has ended"
            assert time.monotonic() < deadline, "slapd does not listen"
            time.sleep(0.02)
    yield uri
    process.terminate()
    process.wait(20)


@pytest.fixture(autouse=True)
def backend(directory: str, settings: Settings) -> None:
    settings.AUTHENTICATION_BACKENDS = [
        "accounts.auth.Backend", "django_auth_ldap.backend.LDAPBackend",
    ]  # fmt: skip
    settings.AUTH_LDAP_SERVER_URI = directory
    settings.AUTH_LDAP_USER_DN_TEMPLATE = "mail=%(user)s,dc=example,dc=test"
    settings.AUTH_LDAP_USER_ATTR_MAP = {"name": "cn"}


CAROL, SECRET = "carol@example.test", "her own secret"
AT = auth.Attempt("imap", "192.0.2.1")


def test_mail_programs_log_in_by_the_directory(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = auth.check(Password("Carol@Example.test", SECRET), AT)
    carol = User.objects.get(email=CAROL)
    assert (found.user_id, found.account_id) == (carol.pk, carol.account.pk)
    assert carol.name == "Carol Cole"
    assert not is_password_usable(carol.password)
    assert carol.has_usable_password()  # there is one to be asked for
    # remembered: nobody is asked again, and it is quick
    monkeypatch.setattr(passwords, "elsewhere", None)
    quick = auth.Attempt("smtp", "192.0.2.1", slowly=False)
    assert auth.check(Password(CAROL, SECRET), quick).user_id == carol.pk
    # our own users are ours
    assert auth.check(Password(alice.email, PASSWORD), AT).user_id == alice.pk


@pytest.mark.parametrize(
    ("name", "password"),
    [
        (CAROL, "wrong"),
        (CAROL, ""),
        ("nobody@example.test", SECRET),
        ("*", SECRET),
        ("carol@example.test,dc=example", SECRET),
        (f"{CAROL}\x00", SECRET),
    ],
)
def test_wrong_ones_are_one_answer(name: str, password: str) -> None:
    with pytest.raises(auth.WrongCredentials):
        auth.check(Password(name, password), AT)
    assert not User.objects.exists()


def test_what_we_decide_counts_for_the_directory_too(alice: User) -> None:
    found = auth.check(Password(CAROL, SECRET), AT)
    carol = User.objects.get(pk=found.user_id)
    carol.second_factor = True
    carol.save()
    with pytest.raises(auth.NotAllowed, match="app password"):
        auth.check(Password(CAROL, SECRET), AT)
    carol.second_factor, carol.is_active = False, False
    carol.save()
    with pytest.raises(auth.NotAllowed, match="disabled"):
        auth.check(Password(CAROL, SECRET), AT)


def test_the_web_logs_in_by_it_once(client: Client, alice: User) -> None:
    sent = {"login": CAROL, "password": SECRET}
    assert client.post("/login/", sent).status_code == 302
    assert client.session[SESSION_KEY] == str(User.objects.get(email=CAROL).pk)
    client.logout()
    client.post("/login/", {"login": CAROL, "password": "wrong"})
    assert SESSION_KEY not in client.session
    client.post("/login/", {"login": alice.email, "password": PASSWORD})
    assert client.session[SESSION_KEY] == str(alice.pk)


def test_the_directory_is_no_way_around_a_ban(client: Client) -> None:
    for _ in range(20):
        with pytest.raises(auth.WrongCredentials):
            auth.check(Password(CAROL, "wrong"), AT)
    with pytest.raises(auth.TooManyFailures):
        auth.check(Password(CAROL, SECRET), AT)
    sent = {"login": CAROL, "password": SECRET}
    client.post("/login/", sent, REMOTE_ADDR=AT.address)
    assert SESSION_KEY not in client.session


def test_a_directory_that_is_away_counts_for_nobody(
    settings: Settings, client: Client
) -> None:
    settings.AUTH_LDAP_SERVER_URI = "ldap://127.0.0.1:1"
    for _ in range(30):
        with pytest.raises(auth.DirectoryAway):
            auth.check(Password(CAROL, SECRET), AT)
    afterwards.run_waiting()
    assert not LoginFailures.objects.exists()
    page = client.post("/login/", {"login": CAROL, "password": SECRET})
    assert "The directory is away" in page.text
    assert SESSION_KEY not in client.session


def test_a_directory_that_knows_not_our_own_account(settings: Settings) -> None:
    settings.AUTH_LDAP_USER_DN_TEMPLATE = None
    settings.AUTH_LDAP_USER_SEARCH = LDAPSearch(
        "dc=example,dc=test", ldap.SCOPE_SUBTREE, "(mail=%(user)s)"
    )
    settings.AUTH_LDAP_BIND_DN = "cn=nobody,dc=example,dc=test"
    settings.AUTH_LDAP_BIND_PASSWORD = "old"
    with pytest.raises(auth.DirectoryAway):
        auth.check(Password(CAROL, SECRET), AT)


def test_it_is_told_as_temporary_by_each_protocol(settings: Settings) -> None:
    away = auth.DirectoryAway()
    assert login_refusal(away).code == "UNAVAILABLE"
    assert smtp_reply(away).startswith("454 4.7.0")
    session = Session(may_log_in=True, offers_stls=False)
    said = Connection(session, Framer(255)).login_failed(away).octets
    assert said.startswith(b"-ERR [SYS/TEMP] The directory is away")


def test_a_domain_that_is_full_takes_nobody_new(alice: User) -> None:
    Domain.objects.update(most_accounts=1)
    with pytest.raises(auth.NotAllowed, match="no more accounts"):
        auth.check(Password(CAROL, SECRET), AT)
    assert not User.objects.filter(email=CAROL).exists()


def test_what_a_directory_cannot_serve_is_not_announced(settings: Settings) -> None:
    settings.MAILHOST_SCRAM_MAIN_PASSWORDS = "yes"
    settings.MAILHOST_APP_PASSWORDS_ONLY = True
    assert offered(At(tls=True)) == ("PLAIN", "LOGIN")
