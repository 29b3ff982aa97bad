"""Copy everything that cannot be made again into a directory, while the servers run."""

import argparse
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from typing_extensions import override

KEYS = ("secret-key",)


class Command(BaseCommand):
    """manage.py backup DIRECTORY."""

    help = (
        "Copy the database, as one moment saw it, and the secret key into a new"
        " directory, while the servers run. To restore: stop them, put the files back,"
        " run afterrestore, start."
    )

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="made; must not exist")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        directory: Path = options["directory"]
        draft = directory.with_name(f".{directory.name}.{os.getpid()}")
        if directory.exists():
            raise CommandError(f"{directory} exists already")
        draft.mkdir(mode=0o700, parents=True)
        try:
            copy_database(draft)
            for name in KEYS:
                source = Path(settings.MAILHOST_DATA_DIR) / name
                if source.exists():
                    shutil.copy2(source, draft / name)
            draft.rename(directory)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        self.stdout.write(f"{directory}: done")


def copy_database(directory: Path) -> None:
    """Copy the database; raises CommandError."""
    if connection.vendor == "sqlite":
        _copy_sqlite(Path(connection.settings_dict["NAME"]), directory)
    else:
        _dump_postgresql(directory / "mailhost.dump")


def _copy_sqlite(source: Path, directory: Path) -> None:
    target = directory / source.name
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    # In one step: a stepwise copy starts over with each write, and never ends.
    with (
        closing(sqlite3.connect(source)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new, pages=-1)
        if new.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise CommandError("The copy is damaged")
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _dump_postgresql(target: Path) -> None:
    if shutil.which("pg_dump") is None:
        raise CommandError("pg_dump is missing: install PostgreSQL's client programs")
    at = connection.settings_dict
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "NAME": "PGDATABASE"}
    names["PASSWORD"] = "PGPASSWORD"  # noqa: S105 - the name of a variable
    env = os.environ | {names[k]: str(at[k]) for k in names if at.get(k)}
    command = ["pg_dump", "--format=custom", f"--file={target}"]
    try:
        subprocess.run(command, env=env, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    except subprocess.CalledProcessError as error:
        raise CommandError(f"pg_dump failed: {error.stderr.strip()[-500:]}") from None
