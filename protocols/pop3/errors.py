"""Refusals, and how the store's read on the POP3 wire."""

from mailhost.store import errors as store


class Refused(Exception):
    """The command is answered with -ERR; code is of RFC 2449 §8 or RFC 3206."""

    def __init__(self, text: str, code: str = "") -> None:
        """Keep what is told."""
        super().__init__(text)
        self.code = code


class Fatal(Exception):
    """The stream can no longer be trusted: say -ERR and close."""


# Every StoreError has a row (tests/unit/pop3/test_errors.py). RFC 2449 §8.1.2,
# RFC 3206 §4: a client tries again after SYS/TEMP and IN-USE, not after SYS/PERM.
CODE_FOR: dict[type[store.StoreError], str] = {
    store.NoSuchFolder: "SYS/PERM",
    store.NoSuchMessage: "",
    store.FolderExists: "SYS/PERM",
    store.RoleTaken: "SYS/PERM",
    store.FolderHasChildren: "SYS/PERM",
    store.BadName: "SYS/PERM",
    store.NotPermitted: "SYS/PERM",
    store.OverQuota: "SYS/PERM",
    store.MessageTooBig: "SYS/PERM",
    store.TooMany: "SYS/TEMP",
    store.EntryTooBig: "SYS/PERM",
    store.TooManyEntries: "SYS/PERM",
    store.BadIdentifier: "SYS/PERM",
    store.RightsFixed: "SYS/PERM",
    store.NoSuchQuota: "SYS/PERM",
    store.InUse: "IN-USE",
}


def refusal(error: store.StoreError) -> Refused:
    """Say a store refusal in POP3."""
    return Refused(str(error), CODE_FOR[type(error)])
