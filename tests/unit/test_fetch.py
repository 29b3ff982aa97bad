"""The only HTTP client: what it refuses, what it bounds."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mailhost import fetch
from tests.world.authority import Authority
from tests.world.web import Web, web_server


@pytest.fixture
async def web(settings: Any, tmp_path: Path) -> AsyncIterator[Web]:
    authority = Authority(tmp_path)
    settings.MAILHOST_FETCH_CA_FILE = str(authority.file)
    settings.MAILHOST_FETCH_ALLOW_PRIVATE = True
    async with web_server(authority.issue("localhost").context()) as found:
        settings.MAILHOST_FETCH_PORT = found.port
        yield found


async def get(url: str, **more: Any) -> fetch.Answer:
    return await fetch.get(url, **{"most_octets": 1000, "seconds": 5, **more})


async def test_it_fetches(web: Web) -> None:
    web.pages["/a?b=c"] = b"hello"
    found = await get("https://localhost/a?b=c")
    assert (found.status, found.body) == (200, b"hello")
    assert web.hosts == ["localhost"]
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    )
    web.pages["/"] = chunked
    assert (await get("https://localhost")).body == b"ab"


async def test_it_posts(web: Web) -> None:
    web.pages["/r"] = b"ok"
    answer = await fetch.post(
        "https://localhost/r", b"x" * 99, content_type="a/b", most_octets=9, seconds=5
    )
    assert answer.body == b"ok"
    assert web.bodies == [b"x" * 99]


async def test_redirects_are_followed_so_far(web: Web) -> None:
    web.pages["/"] = b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n"
    web.pages["/a"] = b"there"
    assert (await get("https://localhost/")).body == b"there"
    assert (await get("https://localhost/", redirects=0)).status == 302
    web.pages["/a"] = web.pages["/"]
    assert (await get("https://localhost/", redirects=2)).status == 302


@pytest.mark.parametrize(
    "target", [b"http://localhost/", b"file:///etc/passwd", b"https://a:b@localhost/"]
)
async def test_a_redirect_is_examined(web: Web, target: bytes) -> None:
    web.pages["/"] = (
        b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % target
    )
    with pytest.raises(fetch.Failed, match="not a URL"):
        await get("https://localhost/")


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (b"x" * 1001, "too long"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000, "too long"),
        (b"slow", "too long"),
        (b"HTTP/9 nonsense\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "not HTTP"),
    ],
)
async def test_it_is_bounded(web: Web, page: bytes, why: str) -> None:
    web.pages["/"] = page
    with pytest.raises(fetch.Failed, match=why):
        await get("https://localhost/", seconds=1)


async def test_a_certificate_for_another_name(web: Web) -> None:
    with pytest.raises(fetch.Untrusted):
        await get("https://127.0.0.1/")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/",
        "https://localhost:22/",
        "https:///x",
        "https://x:y@localhost/",
        "https://localhost/a b",
        "https://localhost/\r\nX: y",
        "https://[::1/",
        "ftp://localhost/",
    ],
)
async def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(fetch.Failed):
        await get(url)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "10.0.0.1"])
async def test_nothing_inside_is_asked(host: str) -> None:
    with pytest.raises(fetch.Failed, match=r"not a public one|no address"):
        await get(f"https://{host}/")


@pytest.mark.parametrize(
    ("address", "is_global"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("fe80::1%eth0", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("fec0::1", False),
        ("64:ff9b:1::7f00:1", False),
        ("::ffff:0:127.0.0.1", False),
        ("::127.0.0.1", False),
        ("5f00::1", False),
    ],
)
def test_addresses(address: str, is_global: bool) -> None:  # noqa: FBT001
    assert fetch.is_global(address) is is_global
