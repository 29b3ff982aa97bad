"""The table that runmailservers prints."""

from pathlib import Path

import pytest
from django.conf import settings

from protocols.common.banner import banner, columns

PORTS = {"imap": 1143, "imaps": 1993, "lmtp": 1024, "web": 8001}


def test_where_to_connect_and_as_whom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MAILHOST_DATA_DIR", tmp_path)
    (tmp_path / "demo-passwords.txt").write_text("alice@example.test   s3cret\n")
    lines = [line.split() for line in banner(PORTS).splitlines()]
    assert ["imap", "127.0.0.1", "1143", "STARTTLS"] in lines
    assert ["imaps", "127.0.0.1", "1993", "TLS"] in lines
    assert ["webmail", "http://127.0.0.1:8001/"] in lines
    assert ["alice@example.test", "s3cret"] in lines


def test_without_a_demo_there_are_no_logins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MAILHOST_DATA_DIR", tmp_path)
    assert "PASSWORD" not in banner(PORTS)


def test_columns() -> None:
    assert columns([("a", "bb"), ("ccc", "d")]) == "a    bb\nccc  d\n"
