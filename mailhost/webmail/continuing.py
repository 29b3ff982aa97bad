"""What a draft goes on: the message it answers or forwards, kept in its own header.

In-Reply-To and References, and X-Forwarded-Message-Id as other programs write it: so
that it does not matter which program kept the draft.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from accounts.models import User
from mailhost.mime.headers import get
from mailhost.mime.message import parse
from mailhost.store import read
from mailhost.store.gate import gate
from mailhost.store.messageids import named
from mailhost.webmail import door
from mailhost.webmail.letters import Where

FORWARDED = "X-Forwarded-Message-Id"


@dataclass(frozen=True, slots=True)
class Chain:
    """How a message belongs to others; ids without <>."""

    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    forwards: str = ""

    @property
    def kind(self) -> str:
        """Whether it forwards or answers; empty for neither."""
        return "forward" if self.forwards else "reply" if self.in_reply_to else ""


def of_origin(origin: Where, kind: str) -> Chain:
    """Return how an answer, or a forward, belongs to a message. RFC 5322 §3.6.4."""
    found = gate.read_sync(
        read.contents, origin.folder_id, [origin.uid], ("message_id", "references")
    )
    if origin.uid not in found:
        return Chain()
    message_id, references = found[origin.uid]
    before = [one for one in references.split("\n") if one and one != message_id]
    own = [message_id] if message_id else []
    chain = tuple([*dict.fromkeys(before), *own][-50:])
    if kind == "forward":
        return Chain("", chain, message_id)
    return Chain(message_id, chain)


def header_of(draft: Where) -> bytes:
    """Return the header of a draft; empty where it is gone."""
    found = gate.read_sync(read.contents, draft.folder_id, [draft.uid], ("header",))
    return bytes(found[draft.uid][0]) if draft.uid in found else b""


def of_draft(header: bytes) -> Chain:
    """Return how a draft says that it belongs to others."""
    parsed = parse(header)
    value = get(header, FORWARDED.encode()) or b""
    forwards = value.decode("ascii", "ignore").strip().strip("<>")[:998]
    answers = parsed.in_reply_to[0] if parsed.in_reply_to else ""
    return Chain("" if forwards else answers, parsed.references, forwards)


def origin(user: User, draft: Where, chain: Chain) -> Where | None:
    """Return the message that a draft answers or forwards, where the user has it."""
    wanted = chain.forwards or chain.in_reply_to
    for account_id in _accounts(user, draft.account_id):
        for one in gate.read_sync(named, account_id, wanted):
            if one.role != "drafts" and _is_read_by(user, account_id, one.folder_id):
                return Where(account_id, one.folder_id, one.uid)
    return None


def _accounts(user: User, first: int) -> Iterator[int]:
    yield first
    yield from (
        one.account.id for one in door.accounts(user) if one.account.id != first
    )


def _is_read_by(user: User, account_id: int, folder_id: int) -> bool:
    return any(
        folder.id == folder_id and "r" in folder.rights
        for one in door.accounts(user)
        if one.account.id == account_id
        for folder in one.folders
    )
