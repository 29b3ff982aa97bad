"""How somebody wants it: one row per user, made at the first change."""

from accounts.models import User
from mailhost.webmail.models import Preferences


def of(user: User) -> Preferences:
    """Return the preferences; unsaved defaults where nothing was changed yet."""
    return Preferences.objects.filter(user=user).first() or Preferences(user=user)
