"""When, from where and by what an app password was last used."""

from datetime import timedelta

from django.utils import timezone

from accounts.afterwards import later
from accounts.models import AppPassword

NOTE_USE_EVERY = timedelta(minutes=5)


def note_use(
    app_password: AppPassword, protocol: str, address: str, client: str
) -> None:
    """Write it a moment later, if it was not written just now."""
    now, last = timezone.now(), app_password.last_used_at
    if last is not None and now - last < NOTE_USE_EVERY:
        return

    def write() -> None:
        AppPassword.objects.filter(pk=app_password.pk).update(
            last_used_at=now,
            last_address=address or None,
            last_protocol=protocol,
            last_client=client,
        )

    later(f"use {app_password.pk}", write)
