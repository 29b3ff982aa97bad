"""The hand-written statements say what their ORM forms say."""

import itertools
from dataclasses import astuple
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from mailhost.mail.models import Blob, Folder, Thread, ThreadKey
from mailhost.store import folders, sql
from mailhost.store.errors import NoSuchFolder
from mailhost.store.filing import BLOB, places
from mailhost.store.quota import usage
from mailhost.store.values import Target

pytestmark = [pytest.mark.engines, pytest.mark.django_db]

WHEN = datetime(2026, 11, 24, 1, 2, 3, 456789, UTC)
ELSEWHERE = datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=-5)))

COLUMNS = (
    "pk",
    "account_id",
    "name",
    "role",
    "uid_validity",
    "state__uid_next",
    "mailbox_id",
    "state__modseq",
    "state__messages",
    "state__unseen",
    "state__deleted",
    "state__bytes",
    "state__recent_uid",
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(1, 60)))
def test_runs_are_the_uids_again(uids: set[int]) -> None:
    spans = sql.runs(sorted(uids))
    assert [u for first, last in spans for u in range(first, last + 1)] == sorted(uids)
    assert all(b > a + 1 for (_, a), (b, _) in itertools.pairwise(spans))


def test_insert_does_as_bulk_create() -> None:
    rows: list[tuple[Any, ...]] = [(1, True, "", WHEN), (2, False, "key", ELSEWHERE)]
    ids = sql.insert("mail_blob", BLOB, rows, returning=True)
    made = Blob.objects.bulk_create([Blob(size=size) for size in (1, 2)])
    Blob.objects.filter(pk=made[0].pk).update(created_at=WHEN)
    Blob.objects.filter(pk=made[1].pk).update(
        complete=False, storage_key="key", created_at=ELSEWHERE
    )
    columns = ("size", "complete", "storage_key", "created_at")
    ours = [Blob.objects.filter(pk=i).values_list(*columns).get() for i in ids]
    theirs = [Blob.objects.filter(pk=b.pk).values_list(*columns).get() for b in made]
    assert ours == theirs == rows
    stored = "SELECT created_at FROM mail_blob WHERE id = %s"
    for mine, other in zip(ids, made, strict=True):
        assert sql.row(stored, [mine]) == sql.row(stored, [other.pk])


def test_insert_may_ignore_what_is_there(alice: User) -> None:
    thread = Thread.objects.create(account=alice.account)
    rows = [("k1", alice.account.pk, thread.pk), ("k2", alice.account.pk, thread.pk)]
    columns = ("key", "account_id", "thread_id")
    sql.insert("mail_threadkey", columns, rows[:1])
    sql.insert("mail_threadkey", columns, rows, or_ignore=True)
    assert ThreadKey.objects.count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        sql.insert("mail_threadkey", columns, rows)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 40])
def test_conditions_choose_what_filter_chooses(count: int) -> None:
    ids = sql.insert(
        "mail_blob", BLOB, [(n, True, "", WHEN) for n in range(50)], returning=True
    )
    chosen = ids[: count * 2 : 2]
    if not chosen:
        return
    expected = set(Blob.objects.filter(pk__in=chosen).values_list("pk", flat=True))
    for build in (sql.among, sql.one_of):
        condition, parameters = build("id", chosen)
        found = sql.rows(f"SELECT id FROM mail_blob WHERE {condition}", parameters)
        assert {row[0] for row in found} == expected
        assert sql.run(
            f"UPDATE mail_blob SET size = 0 WHERE {condition}", parameters
        ) == len(chosen)


def test_a_failing_statement_raises_as_the_orm_does() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        sql.run("UPDATE mail_blob SET size = NULL WHERE id = %s", [make_blob()])
    assert not connection.needs_rollback


def make_blob() -> int:
    return Blob.objects.create(size=1).pk


def test_places_are_the_folders(alice: User, bob: User) -> None:
    alice.account.quota_bytes = 12_345
    alice.account.quota_messages = 67
    alice.account.save(update_fields=["quota_bytes", "quota_messages"])
    sent = folders.open_folder(alice.account.pk, "Sent")
    targets = [
        Target(alice.account.pk),
        Target(bob.account.pk),
        Target(alice.account.pk, sent.id),
    ]
    found = places(targets)
    assert len(found) == 3
    for (account_id, folder_id), place in found.items():
        folder = Folder.objects.select_related("account__state").get(
            account_id=account_id,
            **({"role": "inbox"} if folder_id is None else {"pk": folder_id}),
        )
        assert place.folder_id == folder.pk
        assert place.account_id == folder.account_id
        assert place.uid_validity == folder.uid_validity
        assert place.usage == usage(folder.account_id)
        assert place.usage.most_bytes == folder.account.quota_bytes
        assert place.usage.most_messages == folder.account.quota_messages
        assert place.usage.bytes == folder.account.state.bytes
    with pytest.raises(NoSuchFolder):
        places([Target(bob.account.pk, sent.id)])


def test_a_folder_opens_as_it_is_listed(alice: User) -> None:
    account = alice.account.pk
    made = folders.create_folder(account, "Deep/Straße")
    by_orm = Folder.objects.filter(account_id=account).values_list(*COLUMNS)
    by_sql = [astuple(one)[: len(COLUMNS)] for one in folders.list_folders(account)]
    assert sorted(by_orm) == sorted(by_sql)
    for listed in folders.list_folders(account):
        assert folders.open_folder(account, listed.name) == listed
        assert folders.folder_by_id(account, listed.id) == listed
    assert folders.folder_by_role(account, "sent") is not None
    assert folders.folder_by_role(account, "flagged") is None
    assert folders.open_folder(account, "Deep/Straße") == made
    with pytest.raises(NoSuchFolder):
        folders.open_folder(account, "deep/Straße")
