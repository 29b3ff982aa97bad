"""Connects the signals of lower layers to what upper layers do about them."""

from typing import Any

from accounts import signals
from accounts.models import Account


def connect() -> None:
    """Connect everything; called once, when the apps are ready."""
    signals.account_created.connect(make_folders, dispatch_uid="default folders")


def make_folders(account: Account, **_: Any) -> None:
    """Give a new account its folders, in the transaction that makes it."""
    from mailhost.store.folders import make_default_folders

    make_default_folders(account.pk)
