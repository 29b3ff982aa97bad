"""The web: whose word is believed, the policy of pages, static files."""

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client

from mailhost.proxies import TrustedProxies


def seen(peer: str, forwarded: str) -> HttpRequest:
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_PROTO": "https"}
    if forwarded:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    TrustedProxies(lambda _: HttpResponse())(request)
    return request


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),
        ("127.0.0.1", "203.0.113.9", "127.0.0.1"),
    ],
)
def test_the_client(
    monkeypatch: pytest.MonkeyPatch, peer: str, forwarded: str, client: str
) -> None:
    monkeypatch.setattr(settings, "MAILHOST_TRUSTED_PROXIES", ["10.0.0.0/8"])
    request = seen(peer, forwarded)
    assert request.META["REMOTE_ADDR"] == client
    assert request.is_secure() == peer.startswith("10.")


def test_nobody_is_trusted_by_default() -> None:
    request = seen("127.0.0.1", "203.0.113.9")
    assert request.META["REMOTE_ADDR"] == "127.0.0.1"
    assert not request.is_secure()


@pytest.mark.parametrize("page", ["/login/", "/welcome/x/y/"])
def test_pages_carry_a_policy(client: Client, db: None, page: str) -> None:
    response = client.get(page)
    assert response.status_code == 200
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


def test_the_webmail_wants_a_login(client: Client, db: None) -> None:
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


def test_static_files_need_no_collecting(client: Client) -> None:
    address = "/static/admin/css/base.css"
    whole = client.get(address)
    assert whole.status_code == 200
    assert whole["Content-Type"].startswith("text/css")
    assert not whole.streaming
    part = client.get(address, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, whole.content[2:6])
    assert client.head(address).content == b""
    unchanged = {"If-Modified-Since": whole["Last-Modified"]}
    assert client.get(address, headers=unchanged).status_code == 304
