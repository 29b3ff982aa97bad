"""Receipts on reading: asked for when something is sent, given if its reader says so.

Never by itself and never twice: the keyword $MDNSent is set before anything is sent,
and by who declines. RFC 8098 §2.1; RFC 3503 §3.1 (text not read).
"""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from mailhost import delivery
from mailhost.mime.addresses import Address, parse_addresses
from mailhost.mime.build import Attachment, build
from mailhost.mime.headers import get
from mailhost.outbound.values import Envelope, Recipient
from mailhost.store import change
from mailhost.store.errors import StoreError
from mailhost.store.gate import gate
from mailhost.store.read import Listed
from mailhost.store.values import FolderInfo
from mailhost.webmail import composing, door, identities, letters, refusals
from mailhost.webmail.sending import NotSent

OPTIONS = b"Disposition-Notification-Options"
SENT = "$MDNSent"
MOST = 5  # addresses
# Where nobody is to hear that it was read.
SILENT = frozenset(("sent", "drafts", "junk"))


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for a receipt."""

    to: tuple[Address, ...]

    @property
    def names(self) -> str:
        """The addresses, for who is asked: they may be anybody's."""
        return ", ".join(one.addr for one in self.to)


def asked(
    user: User, folder: FolderInfo, listed: Listed, header: bytes
) -> Asked | None:
    """Return who is to be asked for; None where nobody asks, or it was settled."""
    to = parse_addresses(get(header, composing.RECEIPT.encode()) or b"")[:MOST]
    words = {word.lower() for word in listed.keywords.split()}
    mine = {address.casefold() for address in door.own_addresses(user)}
    if (
        not to
        or not all(one.mailbox and one.host for one in to)
        or SENT.lower() in words
        or "w" not in folder.rights
        or folder.role in SILENT
        or listed.from_address.casefold() in mine
        or _is_report(header)
        # RFC 8098 §2.2: what is required and not understood forbids it.
        or b"required" in (get(header, OPTIONS) or b"").lower()
    ):
        return None
    return Asked(tuple(to))


def _is_report(header: bytes) -> bool:
    """Whether it is a report itself, which gets none. RFC 8098 §2.1."""
    kind = (get(header, b"Content-Type") or b"").lower()
    return kind.startswith(b"multipart/report")


def settle(folder: FolderInfo, uid: int) -> bool:
    """Note that the receipt is settled; tell whether it was open until now."""
    done = gate.write_sync(
        [folder.account_id],
        lambda: (
            change.add_flags(folder.account_id, folder.id, [uid], 0, (SENT,)).changed
        ),
    )
    return bool(done)


def give(user: User, folder: FolderInfo, listed: Listed, asks: Asked) -> None:
    """Send the receipt, once. Raises NotSent, and it may be given again."""
    if not settle(folder, listed.uid):
        return
    try:
        _send(user, folder, listed, asks)
    except (delivery.NotPermitted, StoreError) as error:
        gate.write_sync(
            [folder.account_id],
            lambda: change.remove_flags(
                folder.account_id, folder.id, [listed.uid], 0, (SENT,)
            ),
        )
        raise NotSent(refusals.in_words(error)) from None


def _send(user: User, folder: FolderInfo, listed: Listed, asks: Asked) -> None:
    *_rest, header, message_id = letters.opened(folder.id, listed.uid)
    address = composing.sender_of(user, listed)
    sender = identities.of(user, address)
    octets = build(
        sender=sender.mailbox,
        to=asks.to,
        subject=_("Read: %s") % listed.subject,
        text=_text(listed),
        attachments=[Attachment("", KIND, _fields(header, address, message_id))],
        in_reply_to=message_id,
        references=[message_id],
        message_id=composing.new_message_id(address),
        date=timezone.localtime(),
        report="disposition-notification",
    )
    # RFC 8098 §3: from nobody, so that nobody is told what becomes of it.
    recipients = tuple(Recipient(one.addr) for one in asks.to)
    utf8 = not all(one.addr.isascii() for one in (sender.mailbox, *asks.to))
    envelope = Envelope("", recipients, smtputf8=utf8, sender_id=user.pk)
    delivery.submit_sync(user.pk, octets, envelope)


KIND = "message/disposition-notification"


def _text(listed: Listed) -> str:
    when = f"{timezone.localtime():%Y-%m-%d %H:%M %z}"
    return _(
        "Your message “%(subject)s” was opened on %(when)s. This does not say that it"
        " was read or understood."
    ) % {"subject": listed.subject, "when": when}


def _fields(header: bytes, address: str, message_id: str) -> bytes:
    """Return the part for programs. RFC 8098 §3.1, §3.2."""
    original = get(header, b"Original-Recipient") or b""
    lines = [b"Reporting-UA: mailhost; webmail"]
    if b";" in original and original.isascii():
        lines.append(b"Original-Recipient: " + original[:900])
    kind = "rfc822" if address.isascii() else "utf-8"  # RFC 6533 §3
    lines.append(f"Final-Recipient: {kind};{address}".encode())
    if message_id.isascii() and message_id:
        lines.append(f"Original-Message-ID: <{message_id}>".encode())
    lines.append(b"Disposition: manual-action/MDN-sent-manually; displayed")
    return b"\r\n".join([*lines, b""])
