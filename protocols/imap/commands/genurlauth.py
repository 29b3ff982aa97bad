"""GENURLAUTH. RFC 4467 (text not read)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from mailhost.store.errors import StoreError
from mailhost.store.urlkeys import url_key
from protocols.imap.appending.urls import shown
from protocols.imap.commands.base import Run
from protocols.imap.effects import Write
from protocols.imap.errors import Bad, No
from protocols.imap.parser import Parser
from protocols.imap.responses import quoted, untagged
from protocols.imap.session import Session
from protocols.imap.urlauth import MECHANISM, AuthUrl, auth_url, token

MOST_URLS = 100  # of one command


@dataclass(frozen=True, slots=True)
class Genurlauth:
    """Sign URLs of the user's own messages, so that others can fetch them."""

    rumps: tuple[str, ...]

    @classmethod
    def parse(cls, p: Parser) -> Self:
        rumps: list[str] = []
        while not rumps or p.next() == b" ":
            p.sp()
            rumps.append(p.astring())
            p.sp()
            if p.atom().upper() != MECHANISM:
                raise Bad("There is no such mechanism")
            if len(rumps) > MOST_URLS:
                raise Bad("Too many URLs", "LIMIT")
        p.crlf()
        return cls(tuple(rumps))

    def run(self, session: Session) -> Run:
        who = session.who()
        urls = [_own(session, rump) for rump in self.rumps]
        args = (who.account_id, who.user_id, urls)
        signed = yield Write((who.account_id,), _sign, args)
        yield untagged(" ".join(["GENURLAUTH", *map(quoted, signed)]))
        return ""


def _own(session: Session, rump: str) -> AuthUrl:
    url = auth_url(rump)
    if (
        url is None
        or url.host != session.at.hostname.lower()
        or url.user.casefold() != session.who().email.casefold()
    ):
        raise _refusal(rump)
    return url


def _refusal(rump: str) -> No:
    return No("This URL cannot be signed", f"BADURL {shown(rump)}")


def _sign(account_id: int, user_id: int, urls: Sequence[AuthUrl]) -> list[str]:
    signed = []
    for url in urls:
        try:
            key = url_key(account_id, user_id, url.mailbox)
        except StoreError:
            raise _refusal(url.rump) from None
        signed.append(f"{url.rump}:{MECHANISM}:{token(key, url.rump).hex()}")
    return signed
