"""TLS with real handshakes, by openssl and by Python."""

import imaplib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailhost.certificates.contexts import Certificate
from mailhost.certificates.names import pick
from tests.certificates import Authority
from tests.servers import running

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl"),
]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def more(tmp_path: Path, authority: Authority) -> Path:
    """A directory with pairs of files, one of them as certbot keeps them."""
    folder = tmp_path / "more"
    folder.mkdir()
    for name, dns in (("one", "mail.example.test"), ("wild", "*.example.test")):
        authority.sign(
            name, dns=(dns,), into=(folder / f"{name}.pem", folder / f"{name}.key")
        )
    (folder / "other.test").mkdir()
    other = folder / "other.test"
    pair = other / "fullchain.pem", other / "privkey.pem"
    authority.sign("other", dns=("other.test",), into=pair)
    (folder / "README").write_text("not a certificate")
    (folder / "alone.pem").write_text("no key beside it")
    (folder / "broken.pem").write_text("broken")
    (folder / "broken.key").write_text("broken")
    return folder


@pytest.fixture
def certificate(authority: Authority, more: Path) -> Certificate:
    return Certificate(*authority.sign("main", dns=("localhost",)), more)


@pytest.fixture
def ports(certificate: Certificate) -> Iterator[dict[str, int]]:
    with running(["imap", "smtp", "pop3"], certificate_=certificate) as found:
        yield found


def s_client(port: int, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options],
        input="", capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


STARTTLS = {"imap": "imap", "submission": "smtp", "smtp": "smtp", "pop3": "pop3"}


@pytest.mark.parametrize("service", ["imaps", "submissions", "pop3s", *STARTTLS])
@pytest.mark.parametrize("old", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(
    ports: dict[str, int], service: str, old: str
) -> None:
    options = ["-starttls", STARTTLS[service]] if service in STARTTLS else []
    # seclevel 0, or openssl itself would not even ask
    said = s_client(ports[service], old, "-cipher", "ALL:@SECLEVEL=0", *options)
    assert said.returncode != 0
    assert "Cipher is (NONE)" in said.stdout
    for new in ("-tls1_2", "-tls1_3"):
        said = s_client(ports[service], new, *options)
        assert "Cipher is (NONE)" not in said.stdout


@pytest.mark.parametrize(
    "cipher",
    [
        "ECDHE-ECDSA-AES128-SHA",  # CBC
        "ECDHE-ECDSA-AES256-SHA384",
        "AES128-GCM-SHA256",  # no forward secrecy
        "NULL",
        "ADH-AES128-SHA256",
        "RC4-SHA",
        "DES-CBC3-SHA",
    ],
)
def test_bad_ciphers_are_refused_to_programs(
    ports: dict[str, int], cipher: str
) -> None:
    cipher += ":@SECLEVEL=0"
    said = s_client(ports["imaps"], "-tls1_2", "-cipher", cipher)
    assert "Cipher is ECDHE" not in said.stdout
    assert said.returncode != 0


def test_a_good_curve_is_taken(ports: dict[str, int]) -> None:
    assert "X25519" in s_client(ports["imaps"]).stdout
    assert s_client(ports["imaps"], "-curves", "secp192r1").returncode != 0


def test_neither_compression_nor_renegotiation(ports: dict[str, int]) -> None:
    said = s_client(ports["imaps"], "-tls1_2", "-comp")
    assert "Compression: NONE" in said.stdout
    renegotiate = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{ports['imaps']}", "-tls1_2"],
        input="R\n", capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert "no renegotiation" in renegotiate.stderr.lower()


@pytest.mark.parametrize("service", ["imaps", "submissions", "submission", "smtp"])
@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("mail.example.test", "one"),
        ("MAIL.example.test", "one"),
        ("imap.example.test", "wild"),
        ("a.b.example.test", "main"),  # a wildcard is one label
        ("example.test", "main"),
        ("other.test", "other"),
        ("unknown.test", "main"),
    ],
)
def test_the_name_picks_the_certificate(
    ports: dict[str, int], service: str, name: str, subject: str
) -> None:
    options = ["-starttls", STARTTLS[service]] if service in STARTTLS else []
    said = s_client(ports[service], "-servername", name, *options)
    assert f"subject=CN = {subject}\n" in said.stdout
    said = s_client(ports[service], "-noservername", *options)
    assert "subject=CN = main\n" in said.stdout


def subject_of(port: int, name: str, authority: Authority) -> str:
    context = ssl.create_default_context(cafile=str(authority.file))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=name) as tls,
    ):
        certificate = tls.getpeercert()
        assert certificate is not None
        return str(dict(pair[0] for pair in certificate["subject"])["commonName"])  # type: ignore[misc]  # typeshed: too wide


def test_a_new_certificate_is_used_and_nobody_is_dropped(
    ports: dict[str, int], certificate: Certificate, authority: Authority, more: Path
) -> None:
    context = ssl.create_default_context(cafile=str(authority.file))
    before = imaplib.IMAP4_SSL("localhost", ports["imaps"], ssl_context=context)
    assert subject_of(ports["imaps"], "mail.example.test", authority) == "one"
    authority.sign("renewed", dns=("localhost",), into=certificate._files)
    authority.sign(
        "fresh", dns=("mail.example.test",), into=(more / "one.pem", more / "one.key")
    )
    authority.sign("new", dns=("new.test",), into=(more / "new.pem", more / "new.key"))
    (more / "wild.key").write_text("half of a renewal")
    (more / "other.test" / "privkey.pem").unlink()
    certificate.refresh()
    seen = {
        name: subject_of(ports["imaps"], name, authority)
        for name in ("localhost", "mail.example.test", "new.test", "imap.example.test")
    }
    assert seen == {
        "localhost": "renewed",
        "mail.example.test": "fresh",
        "new.test": "new",
        "imap.example.test": "wild",  # the old one stays
    }
    with pytest.raises(ssl.SSLCertVerificationError):
        subject_of(ports["imaps"], "other.test", authority)
    assert before.noop()[0] == "OK"
    before.logout()


def test_a_file_that_changes_is_noticed_by_itself(
    certificate: Certificate, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = certificate.login_context
    authority.sign("renewed", dns=("localhost",), into=certificate._files)
    monkeypatch.setattr("mailhost.certificates.contexts.LOOK_EVERY_SECONDS", 0)
    for _ in range(2000):
        if certificate.login_context is not first:
            break
    else:
        pytest.fail("the old certificate is still in use")


def test_wildcards_are_one_label() -> None:
    one, wild = ssl.create_default_context(), ssl.create_default_context()
    known = {"a.example.test": one, "*.example.test": wild}
    assert pick(known, "A.example.test.") is one
    assert pick(known, "b.example.test") is wild
    assert pick(known, "c.b.example.test") is None
    assert pick(known, "example.test") is None
