"""What keeps the database in shape: checkpoints, and the removal of what nobody holds.

Content and blobs go only here: after the grace time, where nothing refers to them.
"""

import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from mailhost.mail.models import (
    Arrival,
    Blob,
    Content,
    FolderState,
    FolderTombstone,
    Message,
    Tombstone,
    WriteMark,
)

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 1.0
TRUNCATE_OCTETS = 256 << 20  # of the WAL; beyond, it is cut back
AT_ONCE = 500  # rows removed in one transaction
STAGED_FOR = timedelta(days=1)  # a blob that never became a message


def checkpoint() -> None:
    """Move SQLite's WAL into the database file; cut the WAL back when it is long."""
    if connection.vendor != "sqlite":
        return
    wal = Path(f"{connection.settings_dict['NAME']}-wal")
    long = wal.exists() and wal.stat().st_size > TRUNCATE_OCTETS
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if long else 'PASSIVE'})")
        cursor.fetchall()


def run_checkpoints(stop: threading.Event) -> None:
    """Checkpoint every second until `stop`; for one supervised process alone."""
    while not stop.wait(CHECKPOINT_SECONDS):
        try:
            checkpoint()
        except OperationalError:
            log.warning("the checkpoint failed; the next one follows", exc_info=True)
            connection.close()
    connection.close()


def collect(now: datetime | None = None) -> int:
    """Remove tombstones past the grace time, then what nothing refers to.

    Returns how many messages' octets went. Idempotent; a short transaction each time.
    """
    now = now or timezone.now()
    horizon = now - timedelta(days=settings.MAILHOST_GRACE_DAYS)
    while _prune(horizon):
        pass
    # Rows of writers that are gone; a live one makes its row anew.
    WriteMark.objects.filter(at__lt=now - STAGED_FOR).delete()
    FolderTombstone.objects.filter(at__lt=horizon).delete()
    gone = 0
    while removed := _remove_contents(now - STAGED_FOR):
        gone += removed
    while _remove_staged(now - STAGED_FOR):
        pass
    return gone


def _prune(horizon: datetime) -> int:
    """Remove some tombstones and note up to where each folder's are incomplete."""
    with transaction.atomic():
        old = Tombstone.objects.filter(expunged_at__lt=horizon)
        columns = ("pk", "account_id", "email_id", "content_id")
        some = list(old.values_list(*columns)[:AT_ONCE])
        chosen = Tombstone.objects.filter(pk__in=[row[0] for row in some])
        for folder, modseq in chosen.values_list("folder_id").annotate(Max("modseq")):
            FolderState.objects.filter(
                folder_id=folder, pruned_modseq__lt=modseq
            ).update(pruned_modseq=modseq)
        chosen.delete()
        _forget_arrivals(some)
    return len(some)


def _forget_arrivals(gone: Sequence[tuple[int, int, int, int | None]]) -> None:
    """Remove how e-mails came of which the last copy went; in a transaction.

    Given are (tombstone, account, e-mail, content). Copies share content and e-mail.
    """
    emails = {(account, email) for _, account, email, _ in gone}
    contents = {content for *_, content in gone if content is not None}
    ids = [email for _, email in emails]
    here = Message.objects.filter(account_id__in={a for a, _ in emails})
    kept = Tombstone.objects.filter(content_id__in=contents)
    emails -= set(here.filter(email_id__in=ids).values_list("account_id", "email_id"))
    emails -= set(kept.values_list("account_id", "email_id"))
    by_account: dict[int, list[int]] = {}
    for account, email in emails:
        by_account.setdefault(account, []).append(email)
    for account, those in by_account.items():
        Arrival.objects.filter(account_id=account, email_id__in=those).delete()


def _remove_contents(before: datetime) -> int:
    """Remove some contents, and their blobs, that no row refers to.

    Whoever copies a message holds a row that refers to its content, and the foreign
    key refuses to let that content go: a race ends in an error here, never in a loss.
    """
    with transaction.atomic():
        doomed = list(
            Content.objects.filter(created_at__lt=before)
            .exclude(Exists(Message.objects.filter(content=OuterRef("pk"))))
            .exclude(Exists(Tombstone.objects.filter(content=OuterRef("pk"))))
            .values_list("pk", "blob_id")[:AT_ONCE]
        )
        Content.objects.filter(pk__in=[content for content, _ in doomed]).delete()
        Blob.objects.filter(pk__in=[blob for _, blob in doomed]).delete()
    return len(doomed)


def _remove_staged(before: datetime) -> int:
    """Remove some blobs whose message never came."""
    with transaction.atomic():
        orphans = list(
            Blob.objects.filter(created_at__lt=before, complete=False).values_list(
                "pk", flat=True
            )[:AT_ONCE]
        )
        Blob.objects.filter(pk__in=orphans).delete()
    return len(orphans)
