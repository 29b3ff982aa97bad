"""A file of mail comes in pieces; what is wrong with it is told before it is read.

A piece that came is a row when it is answered, so an upload that broke off goes on
where it was. Pieces come in order; the row's count of octets decides between two that
claim the same place.
"""

import io
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from mailhost import mailfiles, mailzips
from mailhost.jobs import schedule
from mailhost.mailfiles import Found, Source
from mailhost.mailzips import Refused
from mailhost.mime import headers
from mailhost.store import quota, rights
from mailhost.store.errors import BadName
from mailhost.store.folders import to_make
from mailhost.store.gate import gate
from mailhost.webmail.models import Transfer, TransferChunk
from mailhost.webmail.transfers.spool import CHUNK, opened

JOB = "import mail"
PIECE = 4 * CHUNK  # octets that a browser sends at a time
MOST_OPEN = 5  # transfers of a user that are not done
KEPT = timedelta(days=2)
SHOWN = 20
State = Transfer.State
OPEN = (State.UPLOADING, State.WAITING, State.RUNNING)
NEEDED = frozenset("ik")


class NotTaken(Exception):
    """The file is not taken; the text says why, to people."""


def begin(user: User, account_id: int, folder: str, name: str, size: int) -> Transfer:
    """Make room for a file. Raises NotTaken: too large, no room, too many, bad name."""
    try:
        folder = gate.read_sync(to_make, folder) if folder else ""
    except BadName as error:
        raise NotTaken(str(error)) from None
    most = settings.MAILHOST_MAX_IMPORT_BYTES
    if size > most:
        raise NotTaken(_("Files may have %s at most.") % filesizeformat(most))
    if size < 1:
        raise NotTaken(_("The file is empty."))
    if not name.lower().endswith(".zip"):
        _require_room(account_id, size)
    mine = Transfer.objects.filter(user=user)
    if mine.filter(state__in=OPEN).count() >= MOST_OPEN:
        raise NotTaken(_("Wait until the files before this one are done."))
    return mine.create(
        user=user, account_id=account_id, folder=folder, name=name[:200], size=size
    )


def _require_room(account_id: int, size: int) -> None:
    """Raise NotTaken where an account has no room for so many octets."""
    room = gate.read_sync(quota.rooms, [account_id]).get(account_id)
    if room is not None and size > room[0]:
        raise NotTaken(
            _("There are %(size)s in the file, and room for %(room)s in the account.")
            % {
                "size": filesizeformat(size),
                "room": filesizeformat(max(0, room[0])),
            }
        )


def take(transfer: Transfer, at: int, octets: bytes) -> bool:
    """Keep a piece; False where it does not begin at what was received."""
    whole = at % CHUNK == 0 and at + len(octets) <= transfer.size
    ends = at + len(octets) == transfer.size or len(octets) % CHUNK == 0
    if not (whole and ends and 0 < len(octets) <= PIECE):
        return False
    with transaction.atomic():
        claimed = Transfer.objects.filter(
            pk=transfer.pk, received=at, state=State.UPLOADING
        ).update(received=at + len(octets), touched_at=timezone.now())
        if claimed:
            TransferChunk.objects.bulk_create(
                TransferChunk(
                    transfer=transfer,
                    number=(at + start) // CHUNK,
                    octets=octets[start : start + CHUNK],
                )
                for start in range(0, len(octets), CHUNK)
            )
    transfer.refresh_from_db()
    return bool(claimed)


def end(transfer: Transfer) -> None:
    """Look what the file is, and have it read. Raises NotTaken, with the file gone."""
    if transfer.received != transfer.size:
        raise NotTaken(_("The file has not come whole."))
    try:
        found = sources(transfer)
        total = sum(source.size for source in found)
        _require_room(transfer.account_id, total)
    except NotTaken as error:
        stop(transfer, State.FAILED, str(error))
        raise
    with transaction.atomic():
        ready = Transfer.objects.filter(pk=transfer.pk, state=State.UPLOADING)
        if ready.update(state=State.WAITING, total=total, touched_at=timezone.now()):
            plan(transfer)


def plan(transfer: Transfer) -> None:
    """Have the job run soon."""
    schedule.later(JOB, {"number": transfer.pk}, key=str(transfer.pk))


def sources(transfer: Transfer) -> list[Source]:
    """Return what mail is in the file. Raises NotTaken."""
    stream, most = opened(transfer), settings.MAILHOST_MAX_MESSAGE_BYTES
    start = stream.peek(CHUNK)[:CHUNK]
    if start.startswith(b"From "):
        read = partial(mailfiles.in_mbox, stream, most=most)
        return [Source("", transfer.size, read)]
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        unpacked = 2 * settings.MAILHOST_MAX_IMPORT_BYTES
        try:
            return mailzips.sources(stream, transfer.size, unpacked, most)
        except Refused as error:
            raise NotTaken(said(error)) from None
    if headers.fields(start[: headers.block_end(start, 0, len(start))]):
        if transfer.size > most:
            raise NotTaken(_("The message is larger than messages may be."))
        stream.seek(0)
        one = partial(_one, stream)
        return [Source("", transfer.size, one)]
    raise NotTaken(_("This is no mail: choose an .mbox, .eml or .zip file."))


def _one(stream: io.BufferedReader, start: int) -> Iterator[Found]:
    """Yield the one message of a file, unless it was read before."""
    if not start:
        octets = stream.read()
        yield mailfiles.from_eml(octets, None, len(octets))


def said(error: Refused) -> str:
    """Return in words why an archive is not read."""
    texts = {
        "broken": _("The zip file is damaged."),
        "many": _("There are too many files in the zip."),
        "large": _("What is in the zip is too large."),
        "encrypted": _("Zip files with a password cannot be read."),
        "packed": _("The zip is packed in a way that cannot be read."),
        "bomb": _("The zip unpacks to far more than it is: it is not read."),
        "path": _("Names in the zip lead out of it: it is not read."),
        "nothing": _("There is no mail in the zip."),
    }
    return texts.get(error.why, texts["broken"])


def stop(transfer: Transfer, state: State, error: str = "") -> bool:
    """End a transfer and drop its file; tell whether it had not ended."""
    with transaction.atomic():
        ended = Transfer.objects.filter(pk=transfer.pk, state__in=OPEN).update(
            state=state, error=error[:500], touched_at=timezone.now()
        )
        if ended:
            TransferChunk.objects.filter(transfer=transfer).delete()
            schedule.cancel(JOB, str(transfer.pk))
    return bool(ended)


def may_import(user_id: int, account_id: int) -> bool:
    """Tell whether the user may put mail into any folder of the account."""
    return set(rights.account_rights(user_id, account_id)) >= NEEDED


def of(user: User) -> list[Transfer]:
    """Return the user's transfers, the newest first."""
    return list(Transfer.objects.filter(user=user).order_by("-pk")[:SHOWN])


def sweep() -> int:
    """Forget what broke off, and what was done some days ago; return how many."""
    old = Transfer.objects.filter(touched_at__lt=timezone.now() - KEPT)
    idle = old.exclude(state__in=(State.WAITING, State.RUNNING))
    return idle.delete()[0]
