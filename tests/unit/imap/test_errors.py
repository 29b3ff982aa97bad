"""Every refusal of the store has a reply in IMAP."""

from mailhost.store.errors import StoreError
from protocols.imap.errors import CODE_FOR


def test_every_store_error_has_an_imap_code() -> None:
    assert set(StoreError.__subclasses__()) == set(CODE_FOR)
