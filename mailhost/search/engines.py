"""The index of the database that this process uses."""

import functools
from pathlib import Path

from django.db import connection

from mailhost.search.index import Index
from mailhost.search.postgres import PostgresIndex
from mailhost.search.sqlite import SqliteIndex


def index() -> Index:
    """Return the index, which may not be made yet."""
    if connection.vendor != "sqlite":
        return PostgresIndex()
    return _file_beside(str(connection.settings_dict["NAME"]))


@functools.cache
def _file_beside(database: str) -> Index:
    file = Path(database)
    return SqliteIndex(file.with_name(f"{file.stem}-search{file.suffix}"))


def forget_all() -> None:
    """Hold no file; for tests, whose files go."""
    _file_beside.cache_clear()
