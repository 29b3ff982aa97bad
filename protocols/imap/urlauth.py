"""Signed URLs: who made them, who may use them, until when. RFC 4467 (text not read).

imap://user@host/mailbox/;UID=n[...][;EXPIRE=date];URLAUTH=access:INTERNAL:token
"""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote

from protocols.imap.appending.urls import MessageUrl, message_url

MECHANISM = "INTERNAL"
VERSION = b"\x01"  # of the token: what was signed how
RUMP = re.compile(
    r"imap://(?P<user>[^@/;:]+)(?:;AUTH=[^@/]*)?@(?P<host>[^@/:]+)(?::\d{1,5})?"
    r"(?P<path>/.+?)(?:;EXPIRE=(?P<expire>[^;]+))?"
    r";URLAUTH=(?P<access>anonymous|authuser|(?:user|submit)\+[^:;]+)",
    re.IGNORECASE,
)
TOKEN = re.compile(r"(.+):([A-Za-z0-9.-]+):([0-9A-Fa-f]{32,200})")


@dataclass(frozen=True, slots=True)
class AuthUrl:
    """A URL up to its access, which is what is signed."""

    rump: str
    user: str
    host: str
    message: MessageUrl
    expires: datetime | None
    access: str

    @property
    def mailbox(self) -> str:
        """Where the message is; never the selected mailbox."""
        return self.message.mailbox or ""

    def is_for(self, login: str) -> bool:
        """Tell whether who has logged in may use it.

        `submit+` is for a server that submits mail, which nobody is over IMAP.
        """
        kind, _, name = self.access.partition("+")
        if kind.lower() == "user":
            return unquote(name).casefold() == login.casefold()
        return kind.lower() in {"anonymous", "authuser"}

    def is_over(self, now: datetime) -> bool:
        """Tell whether it has expired."""
        return self.expires is not None and self.expires <= now


def auth_url(rump: str) -> AuthUrl | None:
    """Read a URL that may be signed; None if it may not."""
    match = RUMP.fullmatch(rump) if is_url(rump) else None
    message = message_url(match["path"]) if match else None
    if match is None or message is None or message.mailbox is None:
        return None
    try:
        expires = _moment(match["expire"])
    except ValueError:
        return None
    user, host = unquote(match["user"]), match["host"].lower()
    return AuthUrl(rump, user, host, message, expires, match["access"])


def is_url(text: str) -> bool:
    """Tell whether it is made of characters that a URL can have."""
    return text.isascii() and text.isprintable() and " " not in text


def signed_url(url: str) -> tuple[AuthUrl, bytes] | None:
    """Read a signed URL: what was signed, and its token."""
    match = TOKEN.fullmatch(url)
    if match is None or match[2].upper() != MECHANISM or len(match[3]) % 2:
        return None
    read = auth_url(match[1])
    return None if read is None else (read, bytes.fromhex(match[3]))


def token(key: bytes, rump: str) -> bytes:
    """Sign."""
    return VERSION + hmac.digest(key, rump.encode(), "sha256")


def is_right(key: bytes, url: AuthUrl, given: bytes) -> bool:
    """Tell whether this key signed it; takes as long either way."""
    return hmac.compare_digest(token(key, url.rump), given)


def _moment(text: str | None) -> datetime | None:
    """Read a date and time of RFC 3339. Raises ValueError."""
    if text is None:
        return None
    at = datetime.fromisoformat(unquote(text).upper())
    if at.tzinfo is None:
        raise ValueError(text)
    return at.astimezone(UTC)
