"""The commands about users, import and the demo."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts import addresses, auth
from accounts.models import Account, User
from mailhost.mail.models import Folder, Message
from mailhost.store import flags

MBOX = "".join(
    f"From a@x Mon Jan  1 09:00:0{n} 2024\nSubject: {n}\nStatus: R\n\nHello\n\n"
    for n in range(3)
)


def run(name: str, *arguments: str, **options: object) -> str:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out, **options)
    return out.getvalue()


def test_adduser(db: None) -> None:
    said = run("adduser", "Carol@New.test", "--new-domain", "--random", "--admin")
    password = said.split("password: ")[1].split()[0]
    found = auth.authenticate("carol@new.test", password, protocol="imap", address="")
    user = User.objects.get(pk=found.user_id)
    assert user.is_superuser
    assert addresses.resolve("carol@new.test").account_ids == (found.account_id,)
    assert Folder.objects.filter(account=found.account_id, role="inbox").exists()


@pytest.mark.parametrize(
    ("email", "says"),
    [
        ("no-address", "no e-mail address"),
        ("alice@example.test", "There is a user"),
        ("x@unknown.test", "no domain of this host"),
    ],
)
def test_adduser_refuses(alice: User, email: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run("adduser", email, "--random")


def test_they_answer_as_json(alice: User) -> None:
    for command, email in (("adduser", "c@example.test"), ("setpassword", alice.email)):
        told = json.loads(run(command, email, "--random", "--json"))
        found = auth.authenticate(email, told["password"], protocol="imap", address="")
        assert found.email == told["email"] == email
    said = json.loads(run("addalias", "t@example.test", alice.email, "x@y.z", "--json"))
    assert said == {"address": "t@example.test", "targets": [alice.email, "x@y.z"]}


def test_setpassword(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a much longer one\n"))
    run("setpassword", alice.email, "--password-stdin")
    found = auth.authenticate(
        alice.email, "a much longer one", protocol="imap", address=""
    )
    assert found.user_id == alice.pk


def test_a_weak_password_is_refused(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("12345\n"))
    with pytest.raises(CommandError, match="too short"):
        run("setpassword", alice.email, "--password-stdin")


def test_without_a_terminal_a_password_is_not_asked_for(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="--password-stdin"):
        run("adduser", "c@new.test", "--new-domain")


def test_addalias(alice: User, bob: User) -> None:
    run("addalias", "Team@example.test", alice.email, bob.email, "x@outside.test")
    found = addresses.resolve("team@example.test")
    assert len(found.account_ids) == 2
    assert found.forward_to == ("x@outside.test",)


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("team@example.test", "nobody@example.test"),
        ("team@unknown.test", "alice@example.test"),
        ("team@example.test", "nobody"),
    ],
)
def test_addalias_refuses(alice: User, address: str, target: str) -> None:
    with pytest.raises(CommandError):
        run("addalias", address, target)


@pytest.mark.engines
def test_importmail(alice: User, tmp_path: Path) -> None:
    (tmp_path / "box").write_text(MBOX)
    said = run("importmail", alice.email, str(tmp_path / "box"), "--folder", "Old/Mail")
    assert said.startswith("Old/Mail: 3 messages")
    rows = Message.objects.filter(folder__name="Old/Mail").order_by("uid")
    assert [row.flags for row in rows] == [flags.SEEN] * 3
    assert rows[2].internal_date == datetime(2024, 1, 1, 9, 0, 2, tzinfo=UTC)
    assert [row.content.subject for row in rows] == ["0", "1", "2"]


@pytest.mark.engines
def test_importmail_copies_nothing_twice(alice: User, tmp_path: Path) -> None:
    nameless = "From b@x Mon Jan  1 09:00:01 2024\nSubject: 9\nStatus: RO\n\nHi\n\n"
    same = "From b@x Mon Jan  1 09:00:01 2024\nMessage-ID: <a@b>\n\n{}\n\n"
    box = tmp_path / "box"
    box.write_text(MBOX + nameless + same.format("one") + same.format("two"))
    assert "Old: 6 messages," in run(
        "importmail", alice.email, str(box), "--folder", "Old"
    )
    said = run("importmail", alice.email, str(box), "--folder", "Old")
    assert "Old: 0 messages, 6 were there before" in said
    box.write_text(box.read_text() + same.format("three") + nameless)
    said = run("importmail", alice.email, str(box), "--folder", "Old")
    assert "Old: 1 messages, 7 were there before" in said
    heads = Message.objects.values_list("content__header", flat=True)
    assert not any(b"Status" in bytes(head) for head in heads)
    # Another folder is another matter, and who wants doubles says so.
    assert "Other: 7" in run("importmail", alice.email, str(box), "--folder", "Other")
    assert "Old: 8" in run(
        "importmail", alice.email, str(box), "--folder", "Old", "--doubles"
    )


def test_importmail_of_a_big_message(alice: User, tmp_path: Path) -> None:
    body = "x" * 70 + "\n"
    (tmp_path / "a.eml").write_text("Subject: big\n\n" + body * 10_000)
    run("importmail", alice.email, str(tmp_path))
    content = Message.objects.get().content
    octets = b"".join(bytes(c.octets) for c in content.blob.chunks.order_by("number"))
    assert len(octets) == content.size == 14 + 2 + 72 * 10_000
    assert content.blob.complete


@pytest.mark.parametrize("account", ["nobody@example.test", "support"])
def test_importmail_refuses(alice: User, tmp_path: Path, account: str) -> None:
    (tmp_path / "box").write_text(MBOX)
    with pytest.raises(CommandError, match="There is no account"):
        run("importmail", account, str(tmp_path / "box"))


@pytest.mark.engines
def test_the_demo_is_made_once(db: None) -> None:
    said = run("demo")
    assert run("demo") == said
    file = Path(settings.MAILHOST_DATA_DIR) / "demo-passwords.txt"
    assert file.stat().st_mode & 0o777 == 0o600
    for line in file.read_text().splitlines():
        login, password = line.split()
        found = auth.authenticate(login, password, protocol="web", address="")
        assert Message.objects.filter(account=found.account_id).count() == 4
    file.unlink()
    assert Account.objects.count() == 3
    subjects = set(Message.objects.values_list("content__subject", flat=True))
    assert "Привет, こんにちは, مرحبا" in subjects
    assert Message.objects.filter(content__has_attachment=True).count() == 3
