"""What the pages show and do."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from mailhost.store import flags
from tests.conftest import PASSWORD
from tests.unit.webmail.conftest import PLAIN, Box

HTML = (
    b'From: Shop <shop@far.test>\r\nTo: alice@example.test\r\nSubject: Sale "now"\r\n'
    b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="m"\r\n\r\n'
    b'--m\r\nContent-Type: multipart/related; boundary="r"\r\n\r\n'
    b"--r\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b'<b onclick="x()">Hi</b><img src="cid:pic@x"><img src="https://far.test/p.gif">'
    b"<script>alert(1)</script>\r\n"
    b"--r\r\nContent-Type: image/png\r\nContent-ID: <pic@x>\r\n\r\nPNG\r\n--r--\r\n"
    b'--m\r\nContent-Type: image/svg+xml; name="x.svg"\r\n'
    b"Content-Disposition: attachment\r\n\r\n<svg onload=alert(1)>\r\n"
    b'--m\r\nContent-Type: text/html; name="page.html"\r\n'
    b"Content-Disposition: attachment\r\n\r\n<script>alert(1)</script>\r\n--m--\r\n"
)


def act(page: Client, box: Box, action: str, *uids: int, **more: Any) -> Any:
    name = more.pop("name", "INBOX")
    where = [box.where(uid, name) for uid in uids]
    return page.post("/do/", {"m": where, "action": action, **more})


def test_a_login_leads_to_the_inbox(box: Box) -> None:
    client = Client()
    form = {"login": "alice@example.test", "password": PASSWORD}
    answer = client.post("/login/", form, follow=True)
    assert answer.redirect_chain[-1][0] == box.url()


@pytest.mark.parametrize("login", ["alice@example.test", "nobody@example.test"])
def test_a_wrong_login_is_told_alike(box: Box, login: str) -> None:
    answer = Client().post("/login/", {"login": login, "password": "wrong"})
    assert "is not right" in answer.content.decode()


def test_writes_need_a_token(box: Box, alice: Any) -> None:
    uid = box.put()
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert act(client, box, "delete", uid).status_code == 403
    for path in ("/compose/", f"/folders/{box.account_id}/new/", "/logout/"):
        assert client.post(path, {}).status_code == 403


@pytest.mark.parametrize("path", ["/login/", "/folders/", "/compose/"])
def test_pages_allow_no_foreign_script(box: Box, page: Client, path: str) -> None:
    policy = page.get(path, follow=True)["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_a_page_holds_no_inline_script_or_style(box: Box, page: Client) -> None:
    uid = box.put(HTML)
    shown = page.get(box.url(uid)).content.decode()
    for inline in ("<style", " style=", "onclick", "javascript:", "hx-on"):
        assert inline not in shown


def test_the_list_tells_what_is_needed(box: Box, page: Client) -> None:
    box.put()
    shown = page.get(box.url()).content.decode()
    for piece in ("Carl", "Lunch", "Shall we?", "unread"):
        assert piece in shown


def test_the_list_goes_on_where_it_ended(box: Box, page: Client) -> None:
    for number in range(60):
        box.put(PLAIN.replace(b"<lunch@", b"<%d@" % number).replace(b"Lunch", b"L"))
    first = page.get(box.url()).content.decode()
    assert first.count('class="row ') == 50
    (more,) = re.findall(r'hx-get="([^"]*before=[^"]*)"', first)
    older = page.get(
        more.replace("&amp;", "&"), headers={"HX-Request": "true", "HX-Target": "more"}
    ).content.decode()
    assert older.count('class="row ') == 10
    assert "before=" not in older
    assert "<html" not in older
    refreshed = page.get(
        box.url(more="?shown=60"), headers={"HX-Request": "true", "HX-Target": "rows"}
    ).content.decode()
    assert refreshed.count('class="row ') == 60


def test_text_is_escaped_and_links_can_be_followed(box: Box, page: Client) -> None:
    shown = page.get(box.url(box.put())).content.decode()
    assert 'href="https://far.test/menu"' in shown
    assert "&lt;b&gt;old&lt;/b&gt;" in shown
    assert 'class="text q1"' in shown


def test_html_is_cleaned_and_boxed_in(box: Box, page: Client) -> None:
    uid = box.put(HTML)
    outer = page.get(box.url(uid)).content.decode()
    assert (
        'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"'
        in outer
    )
    answer = page.get(box.url(uid, "html/1.1/"))
    shown, policy = answer.content.decode(), answer["Content-Security-Policy"]
    assert "<b>Hi</b>" in shown
    assert "script" not in shown
    assert "far.test" not in shown
    (inside,) = re.findall(r'src="(/inline/[^"]+)"', shown)
    picture = page.get(inside)
    assert (picture.content, picture["Content-Type"]) == (b"PNG", "image/png")
    assert "allow-scripts" not in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "img-src http://testserver/inline/ data:;" in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize(
    ("section", "kind", "how"),
    [
        ("1.2", "image/png", "inline"),
        ("2", "application/octet-stream", "attachment"),
        ("3", "application/octet-stream", "attachment"),
        ("1.1", "application/octet-stream", "attachment"),
    ],
)
def test_parts_never_run(
    box: Box, page: Client, section: str, kind: str, how: str
) -> None:
    answer = page.get(box.url(box.put(HTML), f"part/{section}/x"))
    assert answer["Content-Type"] == kind
    assert answer["Content-Disposition"].startswith(how)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_the_source_is_what_arrived(box: Box, page: Client) -> None:
    assert page.get(box.url(box.put(HTML), "source/")).content == HTML


@pytest.mark.parametrize(
    ("do", "undo", "bit"),
    [("read", "unread", flags.SEEN), ("flag", "unflag", flags.FLAGGED)],
)
def test_marks_come_and_go(
    box: Box, page: Client, do: str, undo: str, bit: int
) -> None:
    from mailhost.store import read

    uids = [box.put(), box.put()]
    act(page, box, do, *uids)
    assert all(read.listed(box.folder(), uid).flags & bit for uid in uids)
    act(page, box, undo, *uids)
    assert not any(read.listed(box.folder(), uid).flags & bit for uid in uids)


def test_reading_by_get_marks_nothing(box: Box, page: Client) -> None:
    from mailhost.store import read

    uid = box.put()
    page.get(box.url(uid))
    assert not read.listed(box.folder(), uid).flags


def test_delete_moves_to_trash_and_from_there_away(box: Box, page: Client) -> None:
    act(page, box, "delete", box.put())
    (in_trash,) = box.uids("Trash")
    assert box.uids() == []
    act(page, box, "delete", in_trash, name="Trash")
    assert box.uids("Trash") == []


@pytest.mark.parametrize(("action", "to"), [("archive", "Archive"), ("junk", "Junk")])
def test_messages_go_where_they_belong(
    box: Box, page: Client, action: str, to: str
) -> None:
    act(page, box, action, box.put(), box.put())
    assert len(box.uids(to)) == 2
    act(
        page, box, "move", *box.uids(to), name=to, to=f"{box.account_id}.{box.folder()}"
    )
    assert len(box.uids()) == 2


def test_an_action_tells_the_page(box: Box, page: Client) -> None:
    where = box.where(box.put())
    answer = page.post(
        "/do/", {"m": where, "action": "archive"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 204
    assert json.loads(answer["HX-Trigger"])["mailgone"] == {"m": [where]}


@pytest.mark.parametrize("bad", ["", "x", "1.2", "1.2.-1", "1.2." + "9" * 30, "1.2.0"])
def test_a_bad_message_is_not_there(box: Box, page: Client, bad: str) -> None:
    assert page.post("/do/", {"m": bad, "action": "read"}).status_code == 404


def test_nothing_selected_is_told(box: Box, page: Client) -> None:
    assert page.post("/do/", {"action": "read"}).status_code == 409


def test_folders_are_made_renamed_and_deleted(box: Box, page: Client) -> None:
    new = f"/folders/{box.account_id}/new/"
    page.post(new, {"name": "Projects/Bridge"})
    at = f"/folders/{box.account_id}/{box.folder('Projects/Bridge')}/"
    assert "There is a folder" in page.post(new, {"name": "Projects"}).content.decode()
    page.post(at + "rename/", {"name": "Tunnel"})
    assert box.folder("Tunnel")
    page.post(at + "delete/")
    assert page.get(box.url(name="Projects")).status_code == 200
    assert 'title="Tunnel"' not in page.get("/folders/").content.decode()
    assert box.folder("Trash/Tunnel")


def test_folders_with_a_role_stay(box: Box, page: Client) -> None:
    for name in ("INBOX", "Trash"):
        at = f"/folders/{box.account_id}/{box.folder(name)}/"
        page.post(at + "delete/")
        page.post(at + "rename/", {"name": "Gone"})
        assert box.folder(name)
