"""Settings: each is documented; a wrong one stops the start with one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from mailhost import settingsdoc
from mailhost.checks import authority, signing_in
from mailhost.environment import Misconfigured, Reader
from mailhost.secretkey import secret_key

ROOT = Path(__file__).parents[2]
NUMBER = "a whole number"
BROKEN = [
    ("MAILHOST_PORT_OFFSET", "abc", "'abc'; it must be a whole number from 0 to 60000"),
    ("MAILHOST_PORT_OFFSET", "-1", "'-1'; it must be a whole number from 0 to 60000"),
    (
        "MAILHOST_WEB_PORT",
        "70000",
        "'70000'; it must be a whole number from 1 to 65535",
    ),
    ("MAILHOST_WORKERS", "many", "'many'; it must be a whole number from 0 to 512"),
    ("MAILHOST_LISTEN", "everywhere", "'everywhere'; it must be IP addresses"),
    ("MAILHOST_LISTEN", "127.0.0.1,300.0.0.1", "it must be IP addresses"),
    ("MAILHOST_TRUSTED_PROXIES", "10.0.0.1/8", "it must be IP networks"),
    ("MAILHOST_DNS_SERVERS", "dns.example", "it must be IP addresses, with :port"),
    ("MAILHOST_DNS_SERVERS", "127.0.0.1:99999", "it must be IP addresses, with :port"),
    ("MAILHOST_DNSBL", "bl.example=high", "it must be names, each with =number"),
    ("MAILHOST_DMARC", "maybe", "'maybe'; it must be obey or junk or ignore"),
    ("MAILHOST_RSPAMD", "localhost", "it must be a URL that starts with http"),
    ("MAILHOST_HOSTNAME", "mail example", "'mail example'; it must be a host name"),
    ("MAILHOST_CERTIFICATE", "/nowhere", "it must be the path of a readable file"),
    ("MAILHOST_ALLOW_PLAINTEXT_LOGIN", "maybe", "'maybe'; it must be yes or no"),
    ("MAILHOST_MAX_MESSAGE_BYTES", "10MB", "it must be a whole number, 65536 or more"),
    ("MAILHOST_MAX_RECIPIENTS", "5", "it must be a whole number, 100 or more"),
    ("MAILHOST_RETRY_SCHEDULE", "300,soon", "it must be whole numbers, commas between"),
    ("MAILHOST_RETRY_SCHEDULE", ",", "it must be whole numbers, commas between"),
    (
        "MAILHOST_SMARTHOST",
        "mail.example.org",
        "it must be a URL that starts with smtp",
    ),
    (
        "MAILHOST_SMARTHOST",
        "smtp://host:port",
        "it must be a URL that starts with smtp",
    ),
    ("MAILHOST_LOG_LEVEL", "loud", "'LOUD'; it must be DEBUG, INFO, WARNING or ERROR"),
    ("MAILHOST_DATA_DIR", "/proc/no", "'/proc/no'; it must be a directory we may"),
    ("SECRET_KEY", "short", "a value that is not usable; it must be 32 characters"),
    (
        "DATABASE_URL",
        "mysql://u:secret@h/d",
        "it must be a URL that starts with postgres",
    ),
    ("MAILHOST_LANGUAGE", "tlh", "'tlh'; it must be one of en, ar, de, es, fr, it, nl"),
    ("MAILHOST_TIME_ZONE", "Berlin", "it must be a time zone such as Europe/Berlin"),
    ("DEBUG", "2", "'2'; it must be yes or no"),
    ("MAILHOST_CERTIFICATES_DIR", "/nowhere", "it must be the path of a directory"),
    ("MAILHOST_CLIENT_CA", "/nowhere", "it must be the path of a readable file"),
    ("MAILHOST_SCRAM_MAIN_PASSWORDS", "maybe", "it must be one of no, collect, yes"),
    ("MAILHOST_OAUTH_ISSUER", "https://id.test", "it must be set together with"),
    ("MAILHOST_OAUTH_ALGORITHMS", "RS256,HS256", "'HS256'; it must be signatures made"),
    ("MAILHOST_ACME_DIRECTORY", "ftp://ca.test/", "it must be a URL that starts with"),
    ("MAILHOST_ACME_NAMES", "a.test,b c.test", "it must be host names such as"),
    ("MAILHOST_ACME_NAMES", "*.a.test", "it must be host names such as"),
    ("MAILHOST_ACME_EAB_KEY", "not/secret", "it must be base64url"),
    ("MAILHOST_ACME_EAB_KEY", "c2VjcmV0", "it must be set together with"),
    ("MAILHOST_MTA_STS_POLICY", "on", "it must be one of off, testing, enforce, none"),
    ("MAILHOST_MTA_STS_HOSTS", "*.", "it must be host names such as"),
    ("MAILHOST_MTA_STS_SECONDS", "60", "it must be a whole number from 86400"),
    ("MAILHOST_OAUTH_ALGORITHMS", "none", "'none'; it must be signatures made"),
]


def start(scratch: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "MAILHOST_DATA_DIR": str(scratch)}
    return subprocess.run(
        [sys.executable, "manage.py", "help"],
        cwd=ROOT,
        env=environment | settings,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("name", "value", "says"), BROKEN)
def test_a_broken_configuration_does_not_start(
    tmp_path: Path, name: str, value: str, says: str
) -> None:
    done = start(tmp_path, **{name: value})
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"mailhost: {name} is ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    (tmp_path / "c.pem").touch()
    done = start(tmp_path, MAILHOST_CERTIFICATE=str(tmp_path / "c.pem"))
    assert done.returncode == 1
    assert "MAILHOST_CERTIFICATE_KEY is ''; it must be set when" in done.stderr


def test_every_setting_is_documented() -> None:
    assert settingsdoc.undocumented(settingsdoc.SOURCE.read_text("utf-8")) == []


def test_the_page_is_up_to_date() -> None:
    source = settingsdoc.SOURCE.read_text("utf-8")
    assert settingsdoc.PAGE.read_text("utf-8") == settingsdoc.page(source), (
        "run: python manage.py settingsdoc"
    )


def test_only_the_settings_read_the_environment() -> None:
    readers = [
        path.relative_to(ROOT).as_posix()
        for part in ("mailhost", "accounts", "protocols")
        for path in sorted((ROOT / part).rglob("*.py"))
        if "os.getenv" in (text := path.read_text("utf-8"))
        or "os.environ.get" in text
        or "os.environ[" in text
    ]
    assert readers == []


def test_the_example_names_only_settings_there_are() -> None:
    known = settingsdoc.names_read(settingsdoc.SOURCE.read_text("utf-8"))
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    named = [line.lstrip("#").split("=")[0].strip() for line in lines if "=" in line]
    assert named
    assert set(named) <= set(known)


def test_reading() -> None:
    reader = Reader(
        {
            "LIST": "::1, 127.0.0.1",
            "NETS": "192.0.2.0/24, 2001:db8::1",
            "ON": "Yes",
            "BIG": "1_000",
            "EMPTY": " ",
        }
    )
    assert reader.addresses("LIST", "") == ["::1", "127.0.0.1"]
    assert reader.networks("NETS") == ["192.0.2.0/24", "2001:db8::1/128"]
    assert reader.switch("ON", default=False)
    assert reader.number("BIG", 1) == 1000
    assert reader.number("EMPTY", 7) == 7


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    first = secret_key(None, tmp_path / "new")
    assert secret_key(None, tmp_path / "new") == first
    assert len(first) >= 32
    assert (tmp_path / "new" / "secret-key").stat().st_mode & 0o077 == 0


def test_a_secret_is_not_repeated() -> None:
    with pytest.raises(Misconfigured) as caught:
        Reader({"URL": "ftp://user:hunter2@host"}).url("URL", ("smtp",))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAILHOST_OAUTH_ALGORITHMS", ["RS1"]),
        ("MAILHOST_OAUTH_KEYS", "http://id.test/keys"),
        ("MAILHOST_OAUTH_KEYS", "/nowhere"),
        ("MAILHOST_OAUTH_KEYS", __file__),
        ("MAILHOST_CLIENT_CA", __file__),
        ("MAILHOST_AUTHENTICATION_BACKENDS", ["no.such.Backend"]),
    ],
)
def test_what_logins_are_checked_with_is_looked_at_before_a_start(
    settings: Settings, name: str, value: object
) -> None:
    assert list(signing_in()) == []
    setattr(settings, name, value)
    (found,) = signing_in()
    assert found.msg.startswith(f"{name} is ")
    assert found.is_serious()


def test_settings_of_other_packages(tmp_path: Path) -> None:
    more = tmp_path / "more.py"
    more.write_text('AUTH_LDAP_SERVER_URI = "ldap://127.0.0.1"\nDEBUG = bool(DEBUG)\n')
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "from django.conf import settings as s\n"  # noqa: ISC004
            "print(s.AUTH_LDAP_SERVER_URI, s.AUTHENTICATION_BACKENDS[-1])",
        ],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "mailhost.settings",
            "MAILHOST_DATA_DIR": str(tmp_path),
            "MAILHOST_EXTRA_SETTINGS": str(more),
            "MAILHOST_AUTHENTICATION_BACKENDS": "a.B",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "ldap://127.0.0.1 a.B\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAILHOST_ACME_DIRECTORY", "http://ca.test/directory"),
        ("MAILHOST_HOSTNAME", "localhost"),
        ("MAILHOST_ACME_NAMES", ["imap.example.test", "192.0.2.1"]),
    ],
)
def test_what_no_authority_can_issue_is_told_before_a_start(
    settings: Settings, name: str, value: object
) -> None:
    assert list(authority()) == []
    settings.MAILHOST_ACME_DIRECTORY = "https://ca.test/directory"
    settings.MAILHOST_HOSTNAME = "mail.example.test"
    assert list(authority()) == []
    setattr(settings, name, value)
    (found,) = authority()
    assert found.msg.startswith(name)
    assert found.is_serious()
