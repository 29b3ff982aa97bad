"""The index follows the mail: what comes, what goes, and whatever happens between."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from mailhost.mail.models import AccountState, Content, Message, Tombstone
from mailhost.search.engines import index
from mailhost.search.query import COLUMNS, And, Not, Where
from mailhost.store import change, documents, folders, indexing, maintenance
from mailhost.store.content import CHUNK
from tests.transcripts.imap_world import mailbox, message, write
from tests.unit.search import index_all, search_index

if TYPE_CHECKING:
    from accounts.models import User
    from mailhost.store.values import FolderInfo

__all__ = ["search_index"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.engines,
    pytest.mark.usefixtures("search_index"),
]


def letter(word: str) -> bytes:
    return b"From: a@example.test\r\nSubject: s\r\n\r\nabout %b\r\n" % word.encode()


def named(user: "User", word: str) -> set[int]:
    """Return the e-mail ids that the index names."""
    asked = documents.contains(Where.BODY, word)
    return set(index().candidates(user.account.pk, asked, 100).email_ids or ())


def emails(user: "User") -> set[int]:
    rows = Message.objects.filter(account=user.account)
    return set(rows.values_list("email_id", flat=True))


def indexed(user: "User") -> set[int]:
    with index().writing(user.account.pk) as writing:
        assert writing is not None
        return {email_id for _, email_id in writing.listed(0, 1_000)}


def folder_of(user: "User", *words: str) -> "FolderInfo":
    for word in words:
        message(user, "INBOX", letter(word))
    return mailbox(user, "INBOX")


def test_what_is_left_where_nearly_all_is_excluded_is_named(alice: "User") -> None:
    folder_of(alice, *["apples"] * 5, "pears", "plums")
    index_all()
    without = Not(documents.contains(Where.BODY, "apples"))
    with_too = And((documents.contains(Where.BODY, "about"), without))
    for query in (without, with_too):
        told = index().candidates(alice.account.pk, query, 3)
        assert told.email_ids is not None
        assert len(told.email_ids) == 2
    pears = Not(documents.contains(Where.BODY, "pears"))
    assert index().candidates(alice.account.pk, pears, 3).email_ids is None  # too many


def test_each_account_has_its_own_documents(alice: "User", bob: "User") -> None:
    folder_of(alice, "apples")
    folder_of(bob, "apples")
    index_all()
    assert named(alice, "apples") == emails(alice)
    assert named(bob, "apples") == emails(bob)
    assert index().progress()[alice.account.pk] == alice.account.state.modseq


def test_it_can_be_done_again(alice: "User") -> None:
    folder_of(alice, "apples", "pears")
    index_all()
    with index().writing(alice.account.pk) as writing:
        assert writing is not None
        writing.note(0, 0)
    index_all()
    index_all()
    assert indexed(alice) == emails(alice)
    assert len(named(alice, "pears")) == 1


def test_it_goes_on_where_it_was_cut_off(
    alice: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = folder_of(alice, "apples", "pears", "plums")
    other = mailbox(alice, "Other")
    account = alice.account.pk
    write([account], change.copy, account, inbox.id, [1, 2, 3], account, other.id)
    monkeypatch.setattr(indexing, "AT_ONCE", 2)
    monkeypatch.setattr(indexing, "IN_A_ROW", 1)
    modseqs = [0]
    for _ in range(20):
        if indexing.index_new():
            break
        modseqs.append(index().progress()[account])
        told = index().candidates(account, documents.contains(Where.BODY, "x"), 9)
        behind = Message.objects.filter(created_modseq__lte=told.modseq)
        assert set(behind.values_list("email_id", flat=True)) <= indexed(alice)
    assert modseqs == sorted(modseqs)
    assert 2 < len(modseqs) < 10
    assert indexed(alice) == emails(alice)


def test_what_was_forgotten_meanwhile_is_not_noted(
    alice: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_of(alice, "apples", "pears", "plums")
    monkeypatch.setattr(indexing, "AT_ONCE", 1)
    account = alice.account.pk
    batches = indexing._batches

    def interrupted(rows: Any) -> Iterator[Any]:
        for n, batch in enumerate(batches(rows)):
            if n == 1:
                indexing.forget(account)
            yield batch

    with monkeypatch.context() as patched:
        patched.setattr(indexing, "_batches", interrupted)
        assert not indexing.index_new()
    assert indexed(alice) == set()
    index_all()
    assert indexed(alice) == emails(alice)


def test_a_failure_leaves_the_batch_undone(
    alice: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_of(alice, "apples")
    index_all()
    folder_of(alice, "pears")
    with monkeypatch.context() as patched:
        patched.setattr(documents.Texts, "__getitem__", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            index_all()
    assert len(indexed(alice)) == 1
    index_all()
    assert indexed(alice) == emails(alice)


def test_collected_mail_leaves_the_index(alice: "User") -> None:
    inbox = folder_of(alice, "apples", "pears", "plums")
    other = mailbox(alice, "Other")
    account = alice.account.pk
    write([account], change.move, account, inbox.id, [3], account, other.id)
    index_all()
    write([account], lambda: change.expunge(account, inbox.id, [1], force=True))
    assert indexing.sweep() == 0  # within the grace time
    Tombstone.objects.update(expunged_at=timezone.now() - timedelta(days=8))
    Content.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert maintenance.collect() == 1
    assert indexing.sweep() == 1
    assert indexed(alice) == emails(alice)
    assert len(emails(alice)) == 2
    assert named(alice, "apples") == set()
    assert len(named(alice, "plums")) == 1
    assert indexing.sweep() == 0


def test_mail_of_a_deleted_folder_leaves_the_index(alice: "User") -> None:
    account = alice.account.pk
    message(alice, "Other", letter("apples"))
    index_all()
    write([account], folders.delete_folder, account, "Other")
    assert indexing.sweep() == 1
    assert indexed(alice) == set()


def test_an_account_that_is_gone_leaves_nothing(alice: "User", bob: "User") -> None:
    folder_of(alice, "apples")
    folder_of(bob, "pears")
    index_all()
    Message.objects.filter(account=alice.account).delete()
    AccountState.objects.filter(account=alice.account).delete()
    assert indexing.sweep() == 1
    assert list(index().progress()) == [bob.account.pk]
    assert indexed(bob) == emails(bob)


def test_mail_restored_from_a_backup_is_indexed_anew(alice: "User") -> None:
    folder_of(alice, "apples")
    index_all()
    with index().writing(alice.account.pk) as writing:
        assert writing is not None
        writing.note(1_000, 0)
    Message.objects.update(email_id=42)
    index_all()
    assert indexed(alice) == {42}


def test_a_large_message_is_read_in_parts(
    alice: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "HELD_WHOLE", CHUNK)
    octets = (
        b"From: a@example.test\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n"
        b"--b\r\nContent-Type: application/x-big\r\n\r\n" + b"x" * 998 * 600 + b"\r\n"
        b"--b\r\nX-Far: away\r\n\r\nlast words\r\n--b--\r\n"
    )
    message(alice, "INBOX", octets)
    index_all()
    (email_id,) = emails(alice)
    texts = dict(
        zip(
            COLUMNS,
            index().texts(alice.account.pk, [email_id], COLUMNS)[email_id],
            strict=True,
        )
    )
    assert texts["body"] == "\x1fFIRST\x1fLAST WORDS\x1f"
    assert "\x1fX-FAR: AWAY\x1f" in texts["nested"]


def test_the_command_makes_it_anew(alice: "User", bob: "User") -> None:
    folder_of(alice, "apples")
    folder_of(bob, "pears")
    call_command("rebuildsearch", verbosity=0)
    assert indexed(alice) == emails(alice)
    assert indexed(bob) == emails(bob)
    Message.objects.filter(account=alice.account).update(email_id=42)
    call_command("rebuildsearch", "alice@example.test", verbosity=0)
    assert indexed(alice) == {42}


def test_putting_it_in_order_changes_no_answer(
    alice: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "AT_ONCE", 1)
    folder_of(alice, *(f"word{n:03}" for n in range(40)))
    index_all()
    while index().tidy():
        pass
    assert len(named(alice, "word017")) == 1
