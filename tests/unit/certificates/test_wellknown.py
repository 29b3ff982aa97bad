"""What is answered at /.well-known/, by the web and by the small server."""

import socket
from typing import Any

import pytest
from django.test import Client

from accounts.models import Domain
from mailhost.certificates import challenges, policy
from mailhost.certificates.models import AcmeChallenge
from mailhost.outbound import sts

pytestmark = [pytest.mark.engines, pytest.mark.django_db(transaction=True)]

TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
ANSWER = TOKEN + ".nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ"
STRANGE = [
    "",
    "short",
    TOKEN[:-1],
    TOKEN + "A",
    TOKEN.upper(),
    TOKEN + "/",
    "../" + TOKEN,
    "%2e%2e/%2e%2e/secret-key",
    "..%2f..%2fvar%2fsecret-key",
    TOKEN + "%00",
    TOKEN + "%0a",
    "%",
    "_" * 20,
    "x" * 300,
]


@pytest.fixture
def challenge(db: None) -> None:
    challenges.put(TOKEN, ANSWER)


def ask(port: int, octets: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(octets)
        found = b""
        while more := sock.recv(65536):
            found += more
    return found


def get(port: int, path: str, host: str = "mail.example.test") -> bytes:
    return ask(port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())


@pytest.mark.parametrize("host", ["localhost", "mta-sts.example.test", "any.thing"])
def test_the_web_answers_for_any_name(challenge: None, host: str) -> None:
    client = Client(headers={"host": host})
    found = client.get(challenges.PATH + TOKEN)
    assert (found.status_code, found.content) == (200, ANSWER.encode())
    assert found["Content-Type"] == "text/plain"
    assert "Set-Cookie" not in found.headers
    assert client.head(challenges.PATH + TOKEN).status_code == 200
    assert client.post(challenges.PATH + TOKEN).status_code == 405


def test_nothing_else_is_found(challenge: None, plain: int) -> None:
    for path in STRANGE:
        asked = challenges.PATH + path
        assert Client().get(asked).status_code == 404, path
        found = get(plain, asked)
        assert ANSWER.encode() not in found, path
        assert b" 200 " not in found, path


def test_the_small_server_answers(challenge: None, plain: int) -> None:
    found = get(plain, challenges.PATH + TOKEN)
    head, _, body = found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == ANSWER.encode()
    head = ask(plain, f"HEAD {challenges.PATH}{TOKEN} HTTP/1.0\r\n\r\n".encode())
    assert head.startswith(b"HTTP/1.1 200 ")
    assert head.endswith(b"\r\n\r\n")
    for line in (b"POST / HTTP/1.1", b"OPTIONS * HTTP/1.1"):
        found = ask(plain, line + b"\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        assert found.startswith(b"HTTP/1.1 405 ")
    challenges.remove([TOKEN])
    assert get(plain, challenges.PATH + TOKEN).startswith(b"HTTP/1.1 404 ")


def test_the_small_server_leads_to_https(plain: int, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["mail.example.test"]
    assert get(plain, "/").startswith(b"HTTP/1.1 404 ")
    settings.MAILHOST_WEB_HTTPS = True
    found = get(plain, "/mail/1/?a=b", "mail.example.test:80")
    assert b"\r\nLocation: https://mail.example.test/mail/1/?a=b\r\n" in found
    assert found.startswith(b"HTTP/1.1 308 ")
    settings.MAILHOST_WEB_TLS_PORT = 8443
    assert b" https://mail.example.test:8443/\r\n" in get(plain, "/")
    # To names of ours alone, and nowhere that a stranger writes.
    for host, path in (
        ("evil.example", "/"),
        ("mail.example.test@evil.example", "/"),
        ("", "/"),
        ("mail.example.test", "http://evil.example/"),
        ("mail.example.test", "@evil.example/"),
    ):
        assert b"Location" not in get(plain, path, host), (host, path)


@pytest.mark.parametrize(
    "octets",
    [
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nLocation: b\rc\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_request_ends(plain: int, octets: bytes) -> None:
    try:
        found = ask(plain, octets + b"\r\n\r\n")
    except ConnectionResetError:
        found = b""
    assert not found.startswith(b"HTTP/1.1 200 ")
    assert get(plain, "/nothing").startswith(b"HTTP/1.1 404 ")


def test_old_challenges_are_forgotten(challenge: None) -> None:
    challenges.prune()
    assert challenges.answer_to(challenges.PATH + TOKEN) == ANSWER
    old = AcmeChallenge.objects.get()
    old.created_at -= 2 * challenges.LONGEST_LIFE
    old.save()
    challenges.prune()
    assert not AcmeChallenge.objects.exists()


def test_our_policy_by_host(alice: Any, settings: Any) -> None:
    Domain.objects.create(name="asleep.test", active=False)
    settings.MAILHOST_MTA_STS_POLICY = "enforce"
    settings.MAILHOST_MTA_STS_HOSTS = ["mail.example.test", "*.mx.example.test"]
    for host in (
        "MTA-STS.Example.Test.",
        "mta-sts.example.test:443",
    ):
        found = Client(headers={"host": host}).get(policy.PATH)
        assert (found.status_code, found["Content-Type"]) == (200, "text/plain")
    client = Client(headers={"host": "mta-sts.example.test"})
    found = client.get(policy.PATH)
    read = sts.parse(found.content)
    assert (read.mode, read.max_age_seconds) == ("enforce", 604_800)
    assert read.hosts == ("mail.example.test", "*.mx.example.test")
    assert read.allows("a.mx.example.test")
    assert found.content == (
        b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.test\r\n"
        b"mx: *.mx.example.test\r\nmax_age: 604800\r\n"
    )
    for host in (
        "example.test",
        "mta-sts.asleep.test",
        "mta-sts.unknown.test",
        "mta-sts.",
        "mta-sts.example.test.evil.test",
        "a.mta-sts.example.test",
        "localhost",
    ):
        client = Client(headers={"host": host})
        assert client.get(policy.PATH).status_code == 404, host
    settings.MAILHOST_MTA_STS_POLICY = "off"
    client = Client(headers={"host": "mta-sts.example.test"})
    assert client.get(policy.PATH).status_code == 404


def test_each_policy_has_another_id(settings: Any) -> None:
    settings.MAILHOST_HOSTNAME = "mail.example.test"
    seen = set()
    for mode in ("testing", "enforce", "none"):
        for hosts in (["mail.example.test"], ["mx.example.test"]):
            settings.MAILHOST_MTA_STS_POLICY = mode
            settings.MAILHOST_MTA_STS_HOSTS = hosts
            record = policy.records("example.test")[1]
            seen.add(sts.policy_id([record.split('"')[1]]))
            assert sts.parse(policy.text().encode()).mode == mode
    assert len(seen) == 6
    assert "" not in seen
