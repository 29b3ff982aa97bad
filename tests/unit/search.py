"""The search index in tests: made, brought up to date, and gone afterwards."""

from collections.abc import Generator
from pathlib import Path

import pytest
from django.db import connection

from mailhost.search import engines
from mailhost.store import indexing


@pytest.fixture
def search_index(db: None) -> Generator[None]:
    """Have an index, with nothing in it."""
    engines.index().ensure()
    yield
    engines.forget_all()
    if connection.vendor == "sqlite":
        database = Path(str(connection.settings_dict["NAME"]))
        for file in database.parent.glob(f"{database.stem}-search{database.suffix}*"):
            file.unlink()


def index_all() -> None:
    """Index what there is."""
    assert indexing.index_new()
