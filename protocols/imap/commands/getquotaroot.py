"""GETQUOTAROOT. RFC 9208 §4.1.2."""

from dataclasses import dataclass
from typing import Self

from accounts.auth import Login
from mailhost.store.folders import open_folder
from mailhost.store.quota import Usage, usage
from protocols.imap.commands.base import Run
from protocols.imap.effects import Read
from protocols.imap.names import places, written
from protocols.imap.parser import Parser
from protocols.imap.quotaroots import roots, told
from protocols.imap.responses import astring, untagged
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Getquotaroot:
    """Tell the quota roots of a mailbox, whether there is one or not, and theirs."""

    name: str

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name = p.mailbox()
        p.crlf()
        return cls(name)

    def run(self, session: Session) -> Run:
        place = places(session, self.name)
        found = yield Read(_roots, (session.who(), *place))
        names = [astring(root) for root, _ in found]
        yield untagged(" ".join(["QUOTAROOT", written(session, self.name), *names]))
        for root, one in found:
            yield told(root, one)
        return ""


def _roots(who: Login, account_id: int, name: str) -> list[tuple[str, Usage]]:
    """Return (root, usage) of the account, or nothing where it is not the user's.

    What one folder of another's account is shared for tells nothing of the account.
    RFC 9208 §6.
    """
    for root, one in roots(who).items():
        if one == account_id:
            return [(root, usage(one))]
    open_folder(account_id, name, who.user_id, "lr")
    return []
