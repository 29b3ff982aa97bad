"""Static files are kept for ever, by addresses that change; pages leave compressed."""

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.templatetags.static import static
from django.urls import reverse

from mailhost.staticversion import version

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

GZIP = {"Accept-Encoding": "gzip, br"}


def test_a_file_is_kept_for_ever(client: "Client") -> None:
    address = static("webmail/mail.css")
    found = client.get(address)
    assert found.status_code == 200
    assert "immutable" in found["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in found
    assert found["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("start", ["/static/", "/static/0123456789ab/"])
def test_another_version_leads_to_todays_file(client: "Client", start: str) -> None:
    found = client.get(f"{start}webmail/mail.css")
    assert found.content == client.get(static("webmail/mail.css")).content
    assert found["Cache-Control"] == "max-age=0, public"
    assert client.get(f"{start}webmail/none.css").status_code == 404
    assert client.get(f"{start}../settings.py").status_code == 404


def test_a_file_is_compressed_where_that_is_taken(client: "Client") -> None:
    address = static("webmail/mail.css")
    plain, packed = client.get(address), client.get(address, headers=GZIP)
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert packed["Vary"] == plain["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.content) == plain.content
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content) / 2


def test_a_part_of_a_file_is_not_compressed(client: "Client") -> None:
    headers = GZIP | {"Range": "bytes=2-5"}
    found = client.get(static("webmail/mail.css"), headers=headers)
    assert (found.status_code, len(found.content)) == (206, 4)
    assert "Content-Encoding" not in found


def test_the_version_follows_the_files(tmp_path: Path) -> None:
    file = tmp_path / "app/static/a.css"
    file.parent.mkdir(parents=True)
    file.write_text("a")
    before = version(tmp_path)
    assert version(tmp_path) == before
    file.write_text("b")
    assert version(tmp_path) != before


def test_a_page_is_compressed_and_no_two_are_alike_long(
    client: "Client", alice: "User"
) -> None:
    client.force_login(alice)
    pages = [client.get("/", follow=True, headers=GZIP) for _ in range(12)]
    assert {page["Content-Encoding"] for page in pages} == {"gzip"}
    assert b"</html>" in gzip.decompress(pages[0].content)
    # Nobody learns from its length what is in it (BREACH).
    assert len({len(page.content) for page in pages}) > 3


def test_a_download_is_not_compressed(client: "Client", alice: "User") -> None:
    client.force_login(alice)
    found = client.get(reverse("webmail:export_cards"), headers=GZIP)
    assert found.status_code == 200
    assert "Content-Encoding" not in found
