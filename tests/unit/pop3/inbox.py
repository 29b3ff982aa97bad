"""Alice's INBOX, filled by the store."""

from collections.abc import Sequence

from accounts.models import User
from mailhost.store.append import append_many
from mailhost.store.content import prepare
from mailhost.store.folders import folder_by_role, make_default_folders
from mailhost.store.gate import gate
from mailhost.store.view import views


def fill(user: User, messages: Sequence[bytes]) -> tuple[int, int]:
    """Append messages; return the account's and the INBOX's id."""
    account_id = user.account.pk
    inbox = folder_by_role(account_id, "inbox")
    if inbox is None:
        make_default_folders(account_id)
        inbox = folder_by_role(account_id, "inbox")
    assert inbox is not None
    views.forget(inbox.id)  # another test's folder may have had this id
    items = [(prepare(octets), 0, (), None) for octets in messages]
    if items:
        gate.write_sync([account_id], append_many, account_id, inbox.id, items)
    return account_id, inbox.id
