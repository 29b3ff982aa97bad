"""Shared accounts: who answered, who takes care of a conversation, notes on it.

What is here belongs to the account and the conversation, so it stays when messages are
filed elsewhere in the account, and is seen by its members alone, as long as they are.
None of it is in a message. Each change takes a modseq of the account, by which the
change feed tells the other members.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account, Membership, User
from mailhost.store.gate import gate
from mailhost.store.read import Listed
from mailhost.store.state import bump_account
from mailhost.store.values import FolderInfo
from mailhost.webmail import door
from mailhost.webmail.models import Answered, Case, Note

LONGEST = 5_000  # characters of a note
MOST_NOTES = 500  # of a conversation
MOST_MINE = 1_000  # conversations that a list of one's own shows


@dataclass(frozen=True, slots=True)
class Mark:
    """What a list shows of a conversation."""

    assignee: str = ""
    answered: str = ""
    notes: int = 0

    @property
    def answered_text(self) -> str:
        """Who answered, in words."""
        return _("%(who)s answered") % {"who": self.answered}


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answered when."""

    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Team:
    """What the members of an account see beside a conversation."""

    members: Sequence[User]
    assignee: User | None
    notes: Sequence[Note]
    answers: dict[int, Answer]  # by e-mail
    may_assign: bool

    @property
    def newest(self) -> Answer | None:
        """The last answer."""
        return max(self.answers.values(), key=lambda one: one.at, default=None)

    @property
    def is_known(self) -> bool:
        """Whether who takes care of it is still a member."""
        return self.assignee is None or self.assignee in self.members


def is_team(user: User, account_id: int) -> bool:
    """Tell whether an account is shared, and the user one of its members."""
    account = door.account(user, account_id)
    return account.kind == Account.Kind.SHARED and "r" in account.rights


def members(account_id: int) -> list[User]:
    """Return who may read an account, themselves or by a group."""
    rows = Membership.objects.filter(
        Q(read=True) | Q(write=True) | Q(manage=True), account_id=account_id
    )
    named = Q(membership__in=rows) | Q(groups__membership__in=rows)
    found = User.objects.filter(named, is_active=True).distinct()
    return sorted(found, key=lambda one: name_of(one).casefold())


def name_of(user: User) -> str:
    """Return what somebody is called."""
    return user.name or user.email


def of(user: User, folder: FolderInfo, listed: Listed) -> Team | None:
    """Return what the members see of a conversation; None for no shared account."""
    if listed.thread_id is None or not is_team(user, folder.account_id):
        return None
    here = {"account_id": folder.account_id, "thread_id": listed.thread_id}
    case = Case.objects.filter(**here).select_related("assignee").first()
    notes = Note.objects.filter(**here).select_related("author").order_by("at", "pk")
    answers = Answered.objects.filter(**here).select_related("user")
    return Team(
        members(folder.account_id),
        case.assignee if case else None,
        list(notes[:MOST_NOTES]),
        {one.email_id: Answer(name_of(one.user), one.at) for one in answers},
        "w" in door.account(user, folder.account_id).rights,
    )


def marks(user: User, account_id: int, threads: Sequence[int]) -> dict[int, Mark]:
    """Return {conversation: what a list shows}; three queries, none elsewhere."""
    if not threads or not is_team(user, account_id):
        return {}
    here = {"account_id": account_id, "thread_id__in": list(threads)}
    cases = {
        one.thread_id: name_of(one.assignee)
        for one in Case.objects.filter(**here).select_related("assignee")
    }
    rows = Answered.objects.filter(**here).select_related("user").order_by("at")
    answers = {one.thread_id: name_of(one.user) for one in rows if one.thread_id}
    counts = Note.objects.filter(**here).values_list("thread_id").annotate(Count("pk"))
    notes = dict(counts)
    return {
        thread: Mark(
            cases.get(thread, ""), answers.get(thread, ""), notes.get(thread, 0)
        )
        for thread in {*cases, *answers, *notes}
    }


def mine(user: User, account_id: int) -> list[int]:
    """Return the conversations of an account that the user takes care of."""
    if not is_team(user, account_id):
        return []
    found = Case.objects.filter(account_id=account_id, assignee=user)
    return list(found.order_by("-at").values_list("thread_id", flat=True)[:MOST_MINE])


def assign(user: User, account_id: int, thread_id: int, to: int | None) -> None:
    """Give a conversation to a member, None to nobody. Raises Http404."""
    if "w" not in door.account(user, account_id).rights:
        raise PermissionDenied
    if to is not None and to not in {one.pk for one in members(account_id)}:
        raise Http404

    def change() -> None:
        if to is None:
            Case.objects.filter(account_id=account_id, thread_id=thread_id).delete()
        else:
            told = {
                "account_id": account_id, "assignee_id": to, "at": timezone.now(),
            }  # fmt: skip
            Case.objects.update_or_create(thread_id=thread_id, defaults=told)
        bump_account(account_id)

    gate.write_sync([account_id], change)


def note(user: User, account_id: int, thread_id: int, text: str) -> bool:
    """Keep a note; False for one that says nothing, or one too many."""
    text = text.replace("\0", "").strip()[:LONGEST]
    here = {"account_id": account_id, "thread_id": thread_id}
    if not text or Note.objects.filter(**here).count() >= MOST_NOTES:
        return False

    def change() -> None:
        Note.objects.create(author=user, text=text, **here)
        bump_account(account_id)

    gate.write_sync([account_id], change)
    return True


def forget(user: User, account_id: int, thread_id: int, number: int) -> None:
    """Remove a note of one's own. Raises Http404."""
    here = {"account_id": account_id, "thread_id": thread_id}

    def change() -> bool:
        gone, _what = Note.objects.filter(pk=number, author=user, **here).delete()
        if gone:
            bump_account(account_id)
        return bool(gone)

    if not gate.write_sync([account_id], change):
        raise Http404


def answered(user: User, folder: FolderInfo, listed: Listed) -> None:
    """Note who answered a message, where others want to know."""
    if not is_team(user, folder.account_id):
        return
    told = {"user": user, "at": timezone.now(), "thread_id": listed.thread_id}

    def change() -> None:
        Answered.objects.update_or_create(
            account_id=folder.account_id, email_id=listed.email_id, defaults=told
        )
        bump_account(folder.account_id)

    gate.write_sync([folder.account_id], change)
