"""Each host has the files of what was issued, whole, for nobody else to read."""

import os
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from mailhost.certificates import contexts, files, places
from mailhost.certificates.models import IssuedCertificate
from mailhost.certificates.names import issued_in
from mailhost.certificates.places import file_for
from mailhost.jobs.models import Job
from tests.unit.certificates.conftest import HOST, put, row, self_issued

pytestmark = [pytest.mark.engines, pytest.mark.django_db(transaction=True)]


def test_another_host_finds_what_was_issued(here: Path) -> None:
    put()
    assert files.sync() == [HOST]
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file_for(HOST))
    assert files.sync() == []
    put()
    seen: files.Seen = {}
    assert files.sync(seen) == [HOST]
    assert files.sync(seen) == []
    file_for(HOST).unlink()
    assert files.sync(seen) == [HOST]


def test_a_kill_between_row_and_file_or_in_the_file(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    files.sync()
    before = file_for(HOST).read_bytes()
    put()  # the row is there, and the process gone

    class Killed(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(Killed):
            files.sync()
    assert file_for(HOST).read_bytes() == before  # never half of it
    assert files.sync() == [HOST]
    assert file_for(HOST).read_bytes() == files.octets_of(HOST)
    draft = file_for(HOST).with_name(".mail.example.test.pem.1")
    draft.write_bytes(b"half")
    assert [pair[0] for pair in issued_in(places.directory())] == [file_for(HOST)]
    files.sync()
    assert draft.exists()  # somebody may be writing it
    os.utime(draft, (0, 0))
    files.sync()
    assert not draft.exists()


def test_rights_that_are_wrong_are_mended(here: Path) -> None:
    put()
    files.sync()
    seen: files.Seen = {}
    files.sync(seen)
    file_for(HOST).chmod(0o644)
    assert files.sync(seen) == [HOST]
    assert file_for(HOST).stat().st_mode & 0o777 == 0o600
    file_for(HOST).write_bytes(b"somebody was here")
    assert files.sync(seen) == [HOST]


def test_a_place_that_cannot_be_written_is_told(here: Path) -> None:
    put()
    (here / "tls").write_text("a file where a directory should be")
    assert files.sync() == []
    assert row().error.startswith(f"{HOST} cannot write it: ")
    (here / "tls").unlink()
    assert files.sync() == [HOST]
    assert row().error == ""


def test_a_key_of_another_installation_is_told(here: Path, settings: Any) -> None:
    put()
    settings.SECRET_KEY = "another one of thirty-two letters"
    assert files.sync() == []
    assert "was sealed with another key" in row().error


def test_files_without_a_row_go(here: Path) -> None:
    put()
    files.sync()
    stray = file_for("gone.example.test")
    stray.write_bytes(b"")
    files.sync()
    assert not stray.exists()
    assert file_for(HOST).exists()


def test_following_plans_what_is_wanted(here: Path) -> None:
    put("other.example.test")
    stop = threading.Event()
    thread = threading.Thread(target=files.follow, args=(stop,))
    thread.start()
    while not file_for("other.example.test").exists():
        stop.wait(0.01)
    stop.set()
    thread.join(10)
    assert Job.objects.filter(name="certificate", key=HOST).exists()
    assert IssuedCertificate.objects.filter(name=HOST, chain="").exists()


def test_the_host_shows_it_as_soon_as_it_is_there(here: Path) -> None:
    certificate = contexts.from_settings()
    assert certificate._main_pair()[0].name == "self-signed.pem"
    before = certificate.login_context
    put()
    put("imap.example.test")
    files.sync()
    certificate.refresh()
    assert certificate._main_pair()[0] == file_for(HOST)
    assert certificate.login_context is not before
    assert certificate.web_context("imap.example.test") is not (
        certificate.web_context("unknown.test")
    )
    # A broken one does no harm, not at a start either.
    file_for(HOST).write_bytes(b"broken")
    kept = certificate.login_context
    certificate.refresh()
    assert certificate.login_context is kept
    again = contexts.from_settings()
    assert again.web_context(None) is again._main.web


def test_the_administrators_own_goes_before(
    here: Path, settings: Any, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    secret, chain = self_issued("imap.example.test")
    (mine / "imap.pem").write_text(chain)
    (mine / "imap.key").write_text(secret)
    put("imap.example.test")
    put()
    files.sync()
    settings.MAILHOST_CERTIFICATES_DIR = str(mine)
    settings.MAILHOST_CERTIFICATE = str(mine / "imap.pem")
    settings.MAILHOST_CERTIFICATE_KEY = str(mine / "imap.key")
    settings.MAILHOST_CLIENT_CA = str(mine / "imap.pem")
    certificate = contexts.from_settings()
    assert certificate._main_pair()[0] == mine / "imap.pem"
    pair = mine / "imap.pem", mine / "imap.key"
    own = certificate._others[pair][1]
    shown = certificate.web_context("imap.example.test")
    assert shown is own.web
    # Browsers are not asked for a certificate of theirs.
    assert shown.verify_mode == ssl.CERT_NONE
    assert own.login.verify_mode == ssl.CERT_OPTIONAL
    assert certificate.web_context(HOST) is not certificate._main.web
