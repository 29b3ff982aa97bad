"""Why a login is refused: the texts are safe to show to anybody."""

from django.utils.translation import gettext_noop as _


class LoginRefused(Exception):
    """The login is not accepted; the text is safe to show."""


class WrongCredentials(LoginRefused):
    """No such login, or not this password: never said which."""

    def __init__(self) -> None:
        super().__init__("Authentication failed")


class NotAllowed(LoginRefused):
    """The password is right, and still this login is refused."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Disabled(NotAllowed):
    """The account is suspended: an administrator knows why."""

    def __init__(self) -> None:
        super().__init__("This account is disabled")


class Expired(NotAllowed):
    """The app password or token is no longer good."""

    def __init__(self, *, is_token: bool = False) -> None:
        what = "This token has expired", "This app password has expired"
        super().__init__(what[not is_token])


class NotNow(NotAllowed):
    """The password was not looked at; the same one may be right a little later."""


class DirectoryAway(NotNow):
    """Another backend could not be asked; that is no failure of who logs in."""

    def __init__(self) -> None:
        super().__init__(_("The directory is away, try again later"))


class TooManyFailures(NotNow):
    """Too many logins failed from there."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(_("Too many failed logins, try again later"))
        self.seconds = seconds  # until the next one is looked at
