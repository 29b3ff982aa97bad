"""What is shown of a letter beside its words, and what may deceive its reader."""

import io
import re
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from typing_extensions import override

from mailhost import fetch
from mailhost.mime.addresses import Address
from mailhost.webmail import deceits, signing, unsubscribing
from mailhost.webmail.unsubscribing import Way
from tests.unit.webmail.conftest import Box

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 20
FILES = (
    b"From: Carl <carl@far.test>\r\nSubject: Files\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=m\r\n\r\n"
    b"--m\r\nContent-Type: text/plain\r\n\r\nsee files\r\n"
    b"--m\r\nContent-Type: text/html; name=a.html\r\n"
    b"Content-Disposition: attachment; filename=a.html\r\n\r\n"
    b"<p>para</p><script>alert(1)</script>\r\n"
    b"--m\r\nContent-Type: message/rfc822\r\n\r\n"
    b"From: Inner <in@far.test>\r\nSubject: <b>Within</b>\r\n\r\ninner words\r\n"
    b"--m\r\nContent-Type: application/pdf; name=../../etc/x.pdf\r\n\r\n%PDF-1\r\n"
    b"--m\r\nContent-Type: image/svg+xml; name=x.svg\r\n\r\n<svg onload=alert(1)/>\r\n"
    b"--m\r\nContent-Type: application/pdf; name=x.pdf\r\n\r\n%PDF-2\r\n--m--\r\n"
)
ONE_CLICK = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
REMOTE = (
    b"From: Shop <shop@far.test>\r\nSubject: Sale\r\nContent-Type: text/html\r\n\r\n"
    b"<p>Hi</p><img src='%b'>"
)


@pytest.fixture
def elsewhere(settings: Any) -> Iterator[Any]:
    """A web server on loopback, where a picture may be fetched for this test."""

    class Handler(BaseHTTPRequestHandler):
        answer = PNG
        asked: list[str] = []  # noqa: RUF012 - emptied for each test

        def do_GET(self) -> None:
            self.asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(self.answer)))
            self.end_headers()
            self.wfile.write(self.answer)

        @override
        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    Handler.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.MAILHOST_FETCH_ALLOW_PRIVATE = True
    Handler.url = f"http://127.0.0.1:{server.server_port}/p.png"  # type: ignore[attr-defined]
    yield Handler
    server.shutdown()
    server.server_close()
    thread.join()


def remote_url(page: Client, box: Box, uid: int) -> str:
    shown = page.get(box.url(uid, "html/1/?images=1"))
    assert (
        "img-src http://testserver/inline/ http://testserver/picture/ data:;"
        in (shown["Content-Security-Policy"])
    )
    (found,) = re.findall(r'src="(/picture/[^"]+)"', shown.content.decode())
    return str(found)


def test_a_picture_comes_through_us(box: Box, page: Client, elsewhere: Any) -> None:
    uid = box.put(REMOTE % elsewhere.url.encode())
    assert "/picture/" not in page.get(box.url(uid, "html/1/")).content.decode()
    assert elsewhere.asked == []
    answer = page.get(remote_url(page, box, uid))
    assert (answer.content, answer["Content-Type"]) == (PNG, "image/png")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert elsewhere.asked == ["/p.png"]


@pytest.mark.parametrize("octets", [b"<svg onload=alert(1)>", b"<html>", b""])
def test_what_is_no_picture_is_not_given(
    box: Box, page: Client, elsewhere: Any, octets: bytes
) -> None:
    elsewhere.answer = octets
    uid = box.put(REMOTE % elsewhere.url.encode())
    assert page.get(remote_url(page, box, uid)).status_code == 404


def test_nothing_inside_is_asked(
    box: Box, page: Client, elsewhere: Any, settings: Any
) -> None:
    settings.MAILHOST_FETCH_ALLOW_PRIVATE = False
    uid = box.put(REMOTE % elsewhere.url.encode())
    assert page.get(remote_url(page, box, uid)).status_code == 404
    assert elsewhere.asked == []


def test_tokens_are_for_one_person_one_purpose_and_a_while(
    box: Box, page: Client, browser_of: Any, bob: Any, monkeypatch: Any
) -> None:
    uid = box.put(FILES)
    token = signing.token(
        box.user, signing.PARTS, box.account_id, box.folder(), uid, "1"
    )
    assert page.get(f"/inline/{token}/").status_code == 404  # no picture
    assert page.get(f"/picture/{token}/").status_code == 404
    assert page.get(f"/inline/{token[:-1]}x/").status_code == 404
    assert browser_of(bob).get(f"/inline/{token}/").status_code == 404
    picture = signing.token(box.user, signing.PICTURE, "https://far.test/")
    monkeypatch.setattr(signing, "SECONDS", -1)
    assert page.get(f"/picture/{picture}/").status_code == 404


def test_a_sender_may_be_trusted_with_pictures(box: Box, page: Client) -> None:
    uid = box.put(REMOTE % b"https://far.test/p.png")
    assert "images=1" not in frame_of(page, box, uid)
    page.post(box.url(uid, "pictures/"), {"pictures": "1"})
    assert "images=1" in frame_of(page, box, uid)
    other = box.put((REMOTE % b"https://far.test/p").replace(b"shop@", b"other@"))
    assert "images=1" not in frame_of(page, box, other)
    page.post(box.url(uid, "pictures/"), {"pictures": "0"})
    assert "images=1" not in frame_of(page, box, uid)


def frame_of(page: Client, box: Box, uid: int) -> str:
    shown = page.get(box.url(uid)).content.decode()
    (found,) = re.findall(r'<iframe[^>]* src="([^"]*)"', shown)
    return str(found)


def test_files_are_looked_at_without_running(box: Box, page: Client) -> None:
    uid = box.put(FILES)
    text = page.get(box.url(uid, "preview/2/")).content.decode()
    assert "para" in text
    assert "alert" not in text
    message = page.get(box.url(uid, "preview/3/")).content.decode()
    assert "inner words" in message
    assert "&lt;b&gt;Within&lt;/b&gt;" in message
    assert page.get(box.url(uid, "preview/5/")).status_code == 404  # SVG
    assert page.get(box.url(uid, "preview/1/")).status_code == 404  # no file
    pdf = page.get(box.url(uid, "part/4/x.pdf?show=1"))
    assert pdf["Content-Disposition"].startswith("inline")
    assert "script" not in pdf["Content-Security-Policy"]
    svg = page.get(box.url(uid, "part/5/x.svg?show=1"))
    assert svg["Content-Type"] == "application/octet-stream"
    assert svg["Content-Disposition"].startswith("attachment")


def test_all_files_come_as_one_zip(box: Box, page: Client) -> None:
    answer: Any = page.get(box.url(box.put(FILES), "zip/"))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    assert archive.namelist() == ["a.html", "message.eml", "x.pdf", "x.svg", "5-x.pdf"]
    assert archive.read("5-x.pdf") == b"%PDF-2"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert page.get(box.url(box.put(), "zip/")).status_code == 404


def test_source_and_header_are_text(box: Box, page: Client) -> None:
    uid = box.put(FILES)
    for show, octets in (("1", FILES), ("head", FILES[: FILES.index(b"--m")])):
        answer = page.get(box.url(uid, f"source/?show={show}"))
        assert answer.content == octets
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert "sandbox" in answer["Content-Security-Policy"]


def test_a_letter_is_printed_by_itself(box: Box, page: Client) -> None:
    shown = page.get(box.url(box.put(FILES), "print/")).content.decode()
    assert "see files" in shown
    assert "x.pdf" in shown


@pytest.mark.parametrize(
    ("header", "way"),
    [
        (b"", Way()),
        (
            b"List-Unsubscribe: <https://l.test/u?a=1>\r\n",
            Way(page="https://l.test/u?a=1"),
        ),
        (
            b"List-Unsubscribe: <mailto:u@l.test>,\r\n <https://l.test/u>\r\n"
            + ONE_CLICK,
            Way(one_click="https://l.test/u"),
        ),
        (
            b"List-Unsubscribe: <mailto:u@l.test?subject=bye%0d%0aBcc:x>\r\n",
            Way(mail_to="u@l.test", subject="bye\r\nBcc:x"),
        ),
        (b"List-Unsubscribe: <http://l.test/u>, <javascript:x>\r\n", Way()),
        (
            b"List-Unsubscribe: <http://l.test/u>\r\n" + ONE_CLICK,
            Way(),
        ),
        (b"List-Unsubscribe: <https://[::1>\r\n", Way(page="https://[::1")),
    ],
)
def test_how_a_list_is_left(header: bytes, way: Way) -> None:
    assert unsubscribing.way_of(header + b"\r\n") == way


def test_one_click_leaves(box: Box, page: Client, monkeypatch: Any) -> None:
    asked: list[Any] = []

    async def post(url: str, body: bytes, **more: Any) -> fetch.Answer:
        asked.append((url, body, more["content_type"]))
        return fetch.Answer(200 if len(asked) == 1 else 500, {}, b"", url)

    monkeypatch.setattr(fetch, "post", post)
    uid = box.put(
        b"From: l@l.test\r\nList-Unsubscribe: <https://l.test/u>\r\n"
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nnews\r\n"
    )
    assert "/unsubscribe/" in page.get(box.url(uid)).content.decode()
    path = box.url(uid, "unsubscribe/")
    assert page.post(path, headers={"HX-Request": "true"}).status_code == 204
    form = "application/x-www-form-urlencoded"
    assert asked == [("https://l.test/u", b"List-Unsubscribe=One-Click", form)]
    assert page.post(path).status_code == 409
    assert page.get(path).status_code == 405  # never by a link
    assert page.post(box.url(box.put(), "unsubscribe/")).status_code == 409


@pytest.mark.engines
def test_who_is_blocked_is_one_question(
    box: Box, django_assert_num_queries: Any
) -> None:
    from mailhost.store import blocking

    blocking.block(box.account_id, "Spam@Far.test")
    with django_assert_num_queries(1):
        found = blocking.junk_of([box.account_id, 99], ["x@y.test", "SPAM@far.test"])
    assert found == {box.account_id: box.folder("Junk")}
    assert blocking.junk_of([box.account_id], ["ham@far.test"]) == {}


@pytest.mark.django_db(transaction=True)
async def test_mail_of_a_blocked_sender_goes_to_junk(box: Box, page: Client) -> None:
    from asgiref.sync import sync_to_async

    from mailhost import delivery

    mail = b"From: Spam <SPAM@far.test>\r\nSubject: x\r\n\r\nx\r\n"

    async def deliver(octets: bytes) -> None:
        await delivery.deliver(
            octets, mail_from="x@far.test", recipients=["alice@example.test"]
        )

    uid = await sync_to_async(box.put)(mail)
    post, uids = sync_to_async(page.post), sync_to_async(box.uids)
    await post(await sync_to_async(box.url)(uid, "block/"))
    await deliver(mail)
    await deliver(mail.replace(b"SPAM@", b"ham@"))
    assert len(await uids("Junk")) == 1
    assert len(await uids()) == 2
    await post(await sync_to_async(box.url)(uid, "block/"), {"unblock": "1"})
    await deliver(mail)
    assert len(await uids()) == 3


@pytest.mark.parametrize(
    ("html", "lies"),
    [
        ('<a href="https://evil.test/">https://bank.test/login</a>', "evil.test"),
        ('<a href="https://evil.test/"><b>bank</b>.test</a>', "evil.test"),
        ('<a href="https://bank.test.evil.test/">www.bank.test</a>', "bank.test.evil"),
        ('<a href="https://mail.bank.test/x">bank.test</a>', ""),
        ('<a href="https://bank.test/x">https://www.bank.test</a>', ""),
        ('<a href="https://evil.test/">Click here</a>', ""),
        ('<a href="mailto:a@b.test">bank.test</a>', ""),
        ('<a href="https://[">bank.test</a>', ""),
    ],
)
def test_links_that_lie_say_where_they_lead(html: str, lies: str) -> None:
    shown = deceits.mark_links(html)
    assert ("deceit" in shown) == bool(lies)
    assert lies in shown


@pytest.mark.parametrize(
    ("author", "reply_to", "warned"),
    [
        (Address("Carl", "carl", "far.test"), "", ""),
        (Address("carl@bank.test", "x", "evil.test"), "", "The name says"),
        (Address("Carl", "x", "exarnple.test"), "", "looks like example.test"),
        (Address("Carl", "x", "examp1e.test"), "", "looks like example.test"),
        (Address("Carl", "x", "xn--exmple-4nf.test"), "", "mixes letters"),
        (Address("Cаrl", "x", "far.test"), "", "name mixes"),
        (Address("Карл", "x", "far.test"), "", ""),
        (Address("Carl", "x", "far.test"), "evil.test", "Answers go to"),
        (Address("Carl", "x", "far.test"), "mail.far.test", ""),
        (Address("", "", ""), "", ""),
    ],
)
def test_senders_who_look_like_others(
    author: Address, reply_to: str, warned: str
) -> None:
    people = [Address("", "x", reply_to)] if reply_to else []
    found = " ".join(deceits.warnings(author, people, {"example.test"}))
    assert warned in found
    assert bool(found) == bool(warned)


def test_no_sandbox_of_ours_allows_scripts() -> None:
    root = Path(__file__).resolve().parents[3]
    places = [*root.glob("mailhost/**/*.py"), *root.glob("mailhost/**/*.js")]
    places += [*root.glob("templates/**/*.html")]
    assert len(places) > 100
    for file in places:
        assert "allow-scripts" not in file.read_text("utf-8"), file
