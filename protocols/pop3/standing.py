"""Whether a session may go on: a password can be revoked while it is open."""

import math
import time
from dataclasses import dataclass, field

from accounts.auth import Login, LoginRefused
from mailhost.store import sql

CHECK_SECONDS = 1.0


class Revoked(LoginRefused):
    """What the session logged in with is void by now."""

    def __init__(self) -> None:
        """Keep the one text."""
        super().__init__("Log in again")


@dataclass(slots=True)
class Standing:
    """What a session logged in with."""

    login: Login
    _checked: float = field(default=-math.inf, compare=False)  # monotonic seconds

    def check(self) -> None:
        """Raise Revoked if a password or a right was taken since. Runs SQL."""
        if version_of(self.login) != self.login.version:
            raise Revoked

    @property
    def is_due(self) -> bool:
        """Whether it is time to check again."""
        return time.monotonic() - self._checked >= CHECK_SECONDS

    def check_now_and_then(self) -> None:
        """Do as `check`, once a second: a session may read many messages in one."""
        if self.is_due:
            self.check()
            self._checked = time.monotonic()


VERSION = """
    SELECT u.credential_version FROM accounts_user u
    JOIN accounts_account a ON a.owner_id = u.id
    WHERE u.id = %s AND u.is_active AND a.active
"""
BY_APP_CREDENTIAL = """
    AND EXISTS (SELECT 1 FROM accounts_apppassword p
                WHERE p.id = %s AND p.user_id = u.id)
"""


BY_PROGRAM = """
    AND EXISTS (SELECT 1 FROM allauth_idp_oidc_token t
                WHERE t.id = %s AND t.user_id = u.id)
"""


def version_of(login: Login) -> int | None:
    """Return the version of a login's credentials, None if they are void."""
    query, parameters = VERSION, [login.user_id]
    if login.app_password_id is not None:
        query, parameters = (
            query + BY_APP_CREDENTIAL,
            [*parameters, login.app_password_id],
        )
    if login.access_token_id is not None:
        query, parameters = query + BY_PROGRAM, [*parameters, login.access_token_id]
    found = sql.row(query, parameters)
    return int(found[0]) if found else None
