"""Whether a session may go on: a password can be revoked while it is open."""

import math
import time
from dataclasses import dataclass, field

from accounts.auth import Login, LoginRefused
from accounts.models import User

CHECK_SECONDS = 1.0


class Revoked(LoginRefused):
    """What the session logged in with is void by now."""

    def __init__(self) -> None:
        """Keep the one text."""
        super().__init__("Log in again")


@dataclass(slots=True)
class Standing:
    """What a session logged in with, and its version then."""

    login: Login
    version: int | None
    _checked: float = field(default=-math.inf, compare=False)  # monotonic seconds

    def check(self) -> None:
        """Raise Revoked if a password or a right was taken since. Runs SQL."""
        if version_of(self.login) != self.version:
            raise Revoked

    def check_now_and_then(self) -> None:
        """Do as `check`, once a second: a session may read many messages in one."""
        now = time.monotonic()
        if now - self._checked >= CHECK_SECONDS:
            self.check()
            self._checked = now


def version_of(login: Login) -> int | None:
    """Return the version of a login's credentials, None if they are void."""
    users = User.objects.filter(pk=login.user_id, is_active=True, account__active=True)
    if login.app_password_id is not None:
        users = users.filter(app_passwords=login.app_password_id)
    return users.values_list("credential_version", flat=True).first()
