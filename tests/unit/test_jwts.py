"""Where the keys of a provider come from, and how often they are asked for."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pytest_django import Settings
from typing_extensions import override

from accounts import jwts
from accounts.models import ExternalIdentity, User

ISSUER = "https://id.example.test"


def key_pair(name: str) -> tuple[Any, dict[str, Any]]:
    key = rsa.generate_private_key(65537, 2048)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return key, {**public, "kid": name}


class Provider:
    """What it publishes, and how often it was asked."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.octets: bytes | None = None
        self.asked = 0
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                body = json.dumps({"keys": provider.keys}).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(provider.octets or body)

            @override
            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture(autouse=True)
def configured(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MAILHOST_OAUTH_ISSUER, settings.MAILHOST_OAUTH_AUDIENCE = ISSUER, "mail"
    monkeypatch.setattr(jwts, "keys", jwts.Keys())


def token(key: Any, name: str | None) -> str:
    claims = {
        "iss": ISSUER,
        "aud": ["web", "mail"],
        "sub": "1",
        "exp": time.time() + 99,
    }
    headers = {"kid": name} if name else {}
    return jwt.encode({**claims, "scope": "mail.imap"}, key, "RS256", headers)


@pytest.fixture
def owner(alice: User) -> User:
    ExternalIdentity.objects.create(user=alice, issuer=ISSUER, subject="1")
    return alice


def test_keys_of_a_url(
    owner: User, provider: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAILHOST_OAUTH_KEYS = provider.url
    one, public_one = key_pair("one")
    two, public_two = key_pair("two")
    provider.keys = [public_one]
    for _ in range(3):
        found = jwts.find(token(one, "one"))
        assert found is not None
        assert (found.user_id, found.scope) == (owner.pk, frozenset({"mail.imap"}))
    assert provider.asked == 1
    # One that is not there is asked for, but not as often as strangers name one.
    provider.keys = [public_two]
    for _ in range(3):
        assert jwts.find(token(two, "two")) is None
    assert provider.asked == 1
    monkeypatch.setattr(jwts, "AGAIN_SECONDS", 0.0)
    assert jwts.find(token(two, "two")) is not None
    assert jwts.find(token(one, "one")) is None
    # A provider that is away leaves what is known.
    provider.octets = b"not json"
    monkeypatch.setattr(jwts, "FRESH_SECONDS", 0.0)
    assert jwts.find(token(two, "two")) is not None
    provider.octets = b"x" * (jwts.MOST_OCTETS + 1)
    assert jwts.find(token(two, "two")) is not None


def test_keys_of_a_file(owner: User, tmp_path: Path, settings: Settings) -> None:
    key, public = key_pair("one")
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [public]}))
    settings.MAILHOST_OAUTH_KEYS = str(file)
    assert jwts.find(token(key, "one")) is not None
    assert jwts.find(token(key, None)) is not None  # a lone key needs no name
    assert jwts.find(token(key, "two")) is None


@pytest.mark.parametrize(
    "source", ["http://id.example.test/keys", "ftp://127.0.0.1/keys", "/nowhere"]
)
def test_keys_come_from_nowhere_else(
    owner: User, settings: Settings, source: str
) -> None:
    key, _ = key_pair("one")
    settings.MAILHOST_OAUTH_KEYS = source
    assert jwts.find(token(key, "one")) is None
