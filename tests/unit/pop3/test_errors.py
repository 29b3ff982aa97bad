"""Every refusal of the store has its reply."""

import inspect

from mailhost.store import errors
from protocols.pop3.errors import CODE_FOR


def test_every_store_error_has_a_code() -> None:
    kinds = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.StoreError) and kind is not errors.StoreError
    }
    assert set(CODE_FOR) == kinds
