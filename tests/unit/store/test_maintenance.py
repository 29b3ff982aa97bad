"""What is removed for good, and what never is."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from mailhost.mail.models import (
    Arrival,
    Blob,
    BlobChunk,
    Content,
    FolderState,
    Tombstone,
)
from mailhost.store import append, change, folders, read
from mailhost.store.content import prepare, stage_blob, stage_chunks
from mailhost.store.deliver import deliver_many
from mailhost.store.maintenance import checkpoint, collect
from mailhost.store.values import Target

pytestmark = [pytest.mark.engines, pytest.mark.django_db]
LETTER = b"Subject: hi\r\n\r\nbody\r\n"


def test_the_octets_outlive_the_grace_time_only_where_a_copy_is(alice: User) -> None:
    account = alice.account.pk
    inbox = folders.open_folder(account, "INBOX").id
    kept = append.append(account, inbox, prepare(LETTER))
    lost = append.append(account, inbox, prepare(LETTER))
    sent = folders.open_folder(account, "Sent").id
    change.copy(account, inbox, [kept.uid], account, sent)
    gone = change.expunge(account, inbox, [kept.uid, lost.uid], force=True)
    later = timezone.now() + timedelta(days=settings.MAILHOST_GRACE_DAYS + 2)

    assert collect() == 0
    assert Tombstone.objects.count() == 2
    assert collect(later) == 1
    assert read.octets(read.content_of(sent, 1)) == LETTER
    assert (Content.objects.count(), Blob.objects.count()) == (1, 1)
    assert BlobChunk.objects.count() == 1
    assert FolderState.objects.get(folder_id=inbox).pruned_modseq == gone.modseq


def test_how_an_email_came_is_forgotten_with_its_last_copy(
    alice: User, bob: User
) -> None:
    prepared = prepare(LETTER)
    accounts = [alice.account.pk, bob.account.pk]
    targets = [Target(a, delivered_to="x@example.test") for a in accounts for _ in "12"]
    stored = [deliver_many([(prepared, targets[n::2])])[0] for n in (0, 1)]
    kept, lost = stored[0][0], stored[1][0]
    account, inbox = kept.account_id, kept.folder_id
    sent = folders.open_folder(account, "Sent").id
    change.copy(account, inbox, [kept.uid], account, sent)
    change.expunge(account, inbox, [kept.uid, lost.uid], force=True)
    later = timezone.now() + timedelta(days=settings.MAILHOST_GRACE_DAYS + 2)
    collect()
    assert Arrival.objects.count() == 4
    collect(later)
    left = set(Arrival.objects.values_list("account_id", "email_id"))
    whole = {(s.account_id, s.email_id) for pair in stored for s in pair}
    assert left == whole - {(account, lost.email_id)}


def test_a_blob_that_never_became_a_message_goes_after_a_day(alice: User) -> None:
    blob = stage_blob(5)
    stage_chunks(blob, [(0, b"12345")])
    collect()
    assert Blob.objects.filter(pk=blob).exists()
    collect(timezone.now() + timedelta(days=2))
    assert not Blob.objects.filter(pk=blob).exists()


@pytest.mark.django_db(transaction=True)
def test_a_checkpoint_keeps_what_was_written(alice: User) -> None:
    account = alice.account.pk
    inbox = folders.open_folder(account, "INBOX").id
    uid = append.append(account, inbox, prepare(LETTER)).uid
    checkpoint()
    assert read.octets(read.content_of(inbox, uid)) == LETTER
