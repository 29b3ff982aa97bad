"""The job that reads an uploaded file into folders, a slice at a time.

Where it goes on stands in the row, written in the transaction that stores each batch:
after a kill -9 the next host goes on there, and of two that run at once the second
finds the row moved and ends.
"""

import logging
import time
from collections.abc import Iterator, Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from mailhost import importing
from mailhost.importing import Taken
from mailhost.mailfiles import Found, Source
from mailhost.mailzips import Refused
from mailhost.store.errors import OverQuota, StoreError
from mailhost.store.gate import gate
from mailhost.store.values import Stored
from mailhost.webmail.models import Transfer
from mailhost.webmail.transfers import uploads
from mailhost.webmail.transfers.uploads import State

log = logging.getLogger(__name__)

SLICE_SECONDS = 15.0  # then others have their turn


class Superseded(Exception):
    """It was called off, or somebody else reads it."""


def run(number: int) -> None:
    """Read a slice; plan the next. A transfer that is gone or over is no error."""
    transfer = Transfer.objects.filter(pk=number).first()
    if transfer is None or transfer.state not in (State.WAITING, State.RUNNING):
        return
    if not gate.read_sync(uploads.may_import, transfer.user_id, transfer.account_id):
        uploads.stop(transfer, State.FAILED, _("You may not do this here."))
        return
    Transfer.objects.filter(pk=number, state=State.WAITING).update(state=State.RUNNING)
    try:
        is_done = _slice(transfer)
    except Superseded:
        return
    except (uploads.NotTaken, OverQuota, StoreError) as error:
        uploads.stop(transfer, State.FAILED, _("It stopped here: %s") % error)
        return
    except Refused as error:
        uploads.stop(transfer, State.FAILED, uploads.said(error))
        return
    if is_done:
        uploads.stop(transfer, State.DONE)
    else:
        uploads.plan(transfer)


def _slice(transfer: Transfer) -> bool:
    """Read until the time is over; tell whether that was all."""
    until = time.monotonic() + SLICE_SECONDS
    found = uploads.sources(transfer)
    for number, source in enumerate(found):
        if number < transfer.source:
            continue
        if not _read(transfer, number, source, until):
            return False
    return True


def _read(transfer: Transfer, number: int, source: Source, until: float) -> bool:
    """Read of one source; tell whether it is at its end."""
    start = transfer.progress if number == transfer.source else 0
    folder = importing.folder_for(transfer.account_id, _folder(transfer, source))
    clock = Clock(until)
    before = Taken()

    def also(_batch: Sequence[Found], _stored: Sequence[Stored], now: Taken) -> None:
        _move_on(transfer, number, before, now)

    def told(now: Taken, _last: Found) -> None:
        before.stored, before.known, before.large = now.stored, now.known, now.large
        transfer.source, transfer.progress = number, now.progress

    importing.import_messages(
        transfer.account_id,
        folder.id,
        clock.while_time(source.read(start)),
        told,
        also,
        skip_large=True,
    )
    return not clock.is_over


class Clock:
    """Ends a reading when its time is over."""

    def __init__(self, until: float) -> None:
        """Begin; `until` by time.monotonic()."""
        self._until, self.is_over = until, False

    def while_time(self, found: Iterator[Found]) -> Iterator[Found]:
        """Yield messages until then, at least one."""
        for one in found:
            yield one
            if time.monotonic() > self._until:
                self.is_over = True
                return


def _move_on(transfer: Transfer, number: int, before: Taken, now: Taken) -> None:
    """Write how far it is, in the batch's transaction. Raises Superseded."""
    here = {"source": transfer.source, "progress": transfer.progress}
    row = Transfer.objects.filter(pk=transfer.pk, state=State.RUNNING, **here).first()
    if row is None:
        raise Superseded
    began = transfer.progress if transfer.source == number else 0
    row.source, row.progress = number, now.progress
    row.done += now.progress - began
    row.stored += now.stored - before.stored
    row.known += now.known - before.known
    row.large += now.large - before.large
    row.touched_at = timezone.now()
    row.save(
        update_fields=[
            "source", "progress", "done", "stored", "known", "large", "touched_at",
        ]
    )  # fmt: skip


def _folder(transfer: Transfer, source: Source) -> str:
    """Return the folder a source goes to: below the chosen one, or by its own name."""
    if not transfer.folder:
        return source.folder or "INBOX"
    return "/".join(filter(None, (transfer.folder, source.folder)))
