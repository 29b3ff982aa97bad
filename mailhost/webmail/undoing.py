"""What can be reversed, for a while: a row for each deed."""

from collections.abc import Sequence
from datetime import timedelta

from django.http import Http404
from django.utils import timezone

from accounts.models import User
from mailhost.webmail import acting
from mailhost.webmail.acting import Deed, Step
from mailhost.webmail.models import Undo

KEPT = timedelta(hours=1)


def keep(user: User, steps: Sequence[Step]) -> int | None:
    """Keep what reverses a deed; return its number, None for nothing to reverse."""
    Undo.objects.filter(made_at__lt=timezone.now() - KEPT).delete()
    if not steps:
        return None
    return Undo.objects.create(user=user, steps=list(steps)).pk


def undo(user: User, number: int) -> Deed:
    """Reverse a deed of this user, once. Raises Http404."""
    row = Undo.objects.filter(
        pk=number, user=user, made_at__gte=timezone.now() - KEPT
    ).first()
    # Of two requests the one that deletes the row does it.
    if row is None or not Undo.objects.filter(pk=row.pk).delete()[0]:
        raise Http404
    return acting.back(user, row.steps)
