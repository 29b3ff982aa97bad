"""After a restore no UID and no modseq that was told before is issued again."""

import sqlite3
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from mailhost.mail.models import AccountState, Content, Folder, FolderState
from mailhost.store import append, folders, read
from mailhost.store.content import prepare
from mailhost.store.rendering import render_again
from mailhost.store.restore import renew
from mailhost.store.state import LEAP

pytestmark = pytest.mark.engines
LETTER = b"Subject: hi\r\n\r\nbody\r\n"


@pytest.mark.django_db
def test_every_folder_is_renewed(alice: User, bob: User) -> None:
    account = alice.account.pk
    inbox = folders.open_folder(account, "INBOX").id
    append.append(account, inbox, prepare(LETTER))
    before = AccountState.objects.get(account_id=account).modseq
    old = set(Folder.objects.values_list("account_id", "uid_validity"))

    assert renew(account) == Folder.objects.filter(account_id=account).count()

    assert AccountState.objects.get(account_id=account).modseq > before + LEAP
    validities = Folder.objects.filter(account_id=account)
    new = set(validities.values_list("account_id", "uid_validity"))
    assert len(new) == validities.count()
    assert not new & old
    state = FolderState.objects.get(folder_id=inbox)
    assert state.modseq == state.pruned_modseq > before + LEAP
    others = Folder.objects.filter(account_id=bob.account.pk)
    assert set(others.values_list("account_id", "uid_validity")) <= old


@pytest.mark.django_db(transaction=True)
def test_a_backup_holds_all_that_was_committed(alice: User, tmp_path: Path) -> None:
    account = alice.account.pk
    inbox = folders.open_folder(account, "INBOX").id
    append.append(account, inbox, prepare(LETTER))
    target = tmp_path / "copy"
    call_command("backup", str(target), verbosity=0)
    assert target.stat().st_mode & 0o077 == 0
    if connection.vendor == "sqlite":
        copied = sqlite3.connect(next(target.glob("*.sqlite3")))
        assert copied.execute("SELECT octets FROM mail_blobchunk").fetchall() == [
            (LETTER,)
        ]
        copied.close()
    else:
        assert (target / "mailhost.dump").read_bytes()[:5] == b"PGDMP"
    with pytest.raises(CommandError, match="exists"):
        call_command("backup", str(target))


@pytest.mark.django_db
def test_an_older_rendering_is_made_again(alice: User) -> None:
    account = alice.account.pk
    inbox = folders.open_folder(account, "INBOX").id
    uid = append.append(account, inbox, prepare(LETTER)).uid
    right = Content.objects.values_list("envelope", "parts").get()
    Content.objects.update(parser_version=0, envelope=b"()", parts="")
    assert render_again() == 1
    assert Content.objects.values_list("envelope", "parts").get() == right
    assert render_again() == 0
    assert read.octets(read.content_of(inbox, uid)) == LETTER
