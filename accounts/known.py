"""What is known of a login: its user's standing, and which credential was shown."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.utils import timezone

from accounts.models import AppPassword, User
from accounts.names import fold_domain

# Past the ORM, which takes longer to write this query than to run it.
STANDING = """
    SELECT u.id, u.email, u.password, u.is_active, u.credential_version,
        u.second_factor, a.id, a.active, d.second_factor
    FROM accounts_user u
    LEFT JOIN accounts_account a ON a.owner_id = u.id
    LEFT JOIN accounts_domain d ON d.name = %s
    WHERE u.email = %s
"""


@dataclass(frozen=True, slots=True)
class Login:
    """Who has logged in, and by what."""

    user_id: int
    account_id: int
    email: str
    app_password_id: int | None = None
    access_token_id: int | None = None
    answer: bytes = b""  # what SCRAM's server says last
    # When what was shown is no longer good: the session ends then. None: never.
    expires_at: datetime | None = None
    version: int = field(default=0, compare=False)  # the user's credential_version


@dataclass(frozen=True, slots=True)
class Standing:
    """What one query tells of a login."""

    user_id: int
    email: str
    password: str
    is_active: bool
    credential_version: int
    second_factor: bool
    account_id: int | None
    account_active: bool


@dataclass(frozen=True, slots=True)
class Credential:
    """What was shown, and what it is good for; of a user's own password: everything."""

    name: str  # as it stands in the log of logins
    scopes: tuple[str, ...] | None = None  # None: every protocol
    expires_at: datetime | None = None
    is_password: bool = False  # alone no second factor
    app_password: AppPassword | None = None
    access_token_id: int | None = None
    answer: bytes = b""


OWN_PASSWORD = Credential("password", is_password=True)


def standing_of(login: str) -> Standing | None:
    """Return what is known of a login, None if there is no such user."""
    with connection.cursor() as cursor:
        cursor.execute(STANDING, [fold_domain(login.rpartition("@")[2]), login])
        row = cursor.fetchone()
    if row is None:
        return None
    user_id, email, hashed, active, version, factor, account_id, open_, domain = row
    return Standing(
        user_id, email, hashed, bool(active), version,
        bool(factor or domain), account_id, bool(open_),
    )  # fmt: skip


def standing_of_id(user_id: int) -> Standing | None:
    """Return what is known of a user."""
    email = User.objects.filter(pk=user_id).values_list("email", flat=True).first()
    return None if email is None else standing_of(email)


def version_of(login: Login) -> int | None:
    """Return the version of a login's credentials; None if they are void."""
    users = User.objects.filter(pk=login.user_id, is_active=True, account__active=True)
    if login.app_password_id is not None:
        users = users.filter(app_passwords=login.app_password_id)
    if login.access_token_id is not None:
        users = users.filter(token=login.access_token_id)
    return users.values_list("credential_version", flat=True).first()


def app_password_credential(row: AppPassword, answer: bytes = b"") -> Credential:
    """Return what an app password is good for."""
    return Credential(
        "app password",
        tuple(row.scopes),
        row.expires_at,
        app_password=row,
        answer=answer,
    )


def has_expired(credential: Credential) -> bool:
    """Tell whether its time is over."""
    expires_at = credential.expires_at
    return expires_at is not None and expires_at <= timezone.now()
