"""How an account is shown: its own word, else the settings'. Runs SQL."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.utils import timezone

from protocols.common.wording import say
from protocols.pop3.errors import Refused
from protocols.pop3.models import LastLogin, MaildropPolicy

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Policy:
    """`folders`: names, () for INBOX alone; `most_messages`: 0 for all."""

    folders: tuple[str, ...] = ()
    newest_first: bool = False
    most_messages: int = 0
    remove_downloaded: bool = False
    mark_seen: bool = False


def policy_of(account_id: int) -> Policy:
    """Return how this account is shown."""
    row = MaildropPolicy.objects.filter(account_id=account_id).first()
    if row is None:
        row = MaildropPolicy()
    return Policy(
        folders=tuple(filter(None, map(str.strip, row.folders.splitlines()))),
        newest_first=_or(row.newest_first, settings.POP3_NEWEST_FIRST),
        most_messages=_or(row.most_messages, settings.POP3_MOST_MESSAGES),
        remove_downloaded=_or(row.remove_downloaded, settings.POP3_REMOVE_DOWNLOADED),
        mark_seen=_or(row.mark_seen, settings.POP3_MARK_SEEN),
    )


def _or(own: T | None, general: T) -> T:
    return general if own is None else own


def may_come_again(account_id: int) -> None:
    """Refuse a login that comes too soon after the last. RFC 2449 §6.5, §8.1.1."""
    seconds = settings.POP3_LOGIN_DELAY_SECONDS
    if not seconds:
        return
    horizon = timezone.now() - timedelta(seconds=seconds)
    if LastLogin.objects.filter(account_id=account_id, at__gt=horizon).exists():
        raise Refused(say("Wait {} seconds between logins", seconds), "LOGIN-DELAY")


def note_login(account_id: int) -> None:
    """Keep when an account logged in, if that will be asked."""
    if settings.POP3_LOGIN_DELAY_SECONDS:
        LastLogin.objects.update_or_create(
            account_id=account_id, defaults={"at": timezone.now()}
        )
