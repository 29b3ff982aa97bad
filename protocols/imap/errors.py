"""Refusals, and how the store's refusals read on the IMAP wire."""

from accounts.auth import Disabled, Expired, LoginRefused, NotAllowed, NotNow
from mailhost.store import errors as store
from mailhost.store.annotations import LONGEST_VALUE
from mailhost.store.errors import StoreError


class Bad(Exception):
    """The client broke the grammar or the order of commands. RFC 9051 §7.1.3.

    `code` is a response code without its brackets, or empty.
    """

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class No(Exception):
    """The command is sound and refused. RFC 9051 §7.1.2."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class Fatal(Exception):
    """The stream can no longer be trusted: say BYE and close. RFC 9051 §7.1.5."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class BrokenOff(Exception):
    """It went wrong inside of a response: what is said now is taken for its rest."""


# Response codes: RFC 9051 §7.1, RFC 5530 §3, RFC 5464 §5; every StoreError has a row
# (tests/unit/imap/test_errors.py).
CODE_FOR: dict[type[StoreError], str] = {
    store.NoSuchFolder: "NONEXISTENT",
    store.NoSuchMessage: "EXPUNGEISSUED",
    store.FolderExists: "ALREADYEXISTS",
    store.RoleTaken: "USEATTR",  # RFC 6154 §3
    store.FolderHasChildren: "HASCHILDREN",
    store.BadName: "CANNOT",
    store.NotPermitted: "NOPERM",
    store.OverQuota: "OVERQUOTA",
    store.MessageTooBig: "TOOBIG",
    store.TooMany: "LIMIT",
    store.EntryTooBig: f"METADATA MAXSIZE {LONGEST_VALUE}",
    store.TooManyEntries: "METADATA TOOMANY",
    store.BadIdentifier: "CANNOT",
    store.RightsFixed: "CANNOT",
    store.NoSuchQuota: "NOPERM",
    store.InUse: "INUSE",
}


# RFC 5530 §3
LOGIN_CODES: dict[type[LoginRefused], str] = {
    Disabled: "CONTACTADMIN",
    Expired: "EXPIRED",
}


def refusal(error: StoreError) -> No:
    """Say a store refusal in IMAP."""
    for kind in type(error).__mro__:
        if kind in CODE_FOR:
            return No(str(error), CODE_FOR[kind])
    return No(str(error))


def login_refusal(error: LoginRefused) -> No:
    """Say why a login is refused, and never whether the name exists."""
    if isinstance(error, NotNow):  # a program need not ask its user for another one
        return No(error.reason, "UNAVAILABLE")
    if isinstance(error, NotAllowed):
        return No(error.reason, LOGIN_CODES.get(type(error), "AUTHORIZATIONFAILED"))
    return No("Authentication failed", "AUTHENTICATIONFAILED")
