"""What other processes say of this one's sessions, and what this one says of itself.

One thread per process, from its first session on. It looks for new rows of Revocation
(SQLite: when data_version moved; PostgreSQL: each time) and ends what they concern; and
every few seconds it writes down which sessions are open, for `manage.py who` and the
admin: a login that is gone by then has cost nothing.
"""

import contextlib
import logging
import os
import secrets
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, connection, transaction
from django.db.models import Max

from accounts.known import version_of
from accounts.models import Revocation
from protocols.common.presence import Entry, Session, concerns, sessions
from protocols.connections import alive
from protocols.models import OpenConnection, ServerProcess

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
WRITE_SECONDS = 2.0
# A transaction may commit behind one with a higher id: so long are ids looked at again.
LATE_SECONDS = 30.0
AGAIN_SECONDS = 5.0
HEARTBEAT_SECONDS = 60.0
AT_ONCE = 500  # rows in one statement


class Revocations:
    """The rows that were heard of, and those that may still appear between them."""

    def __init__(self) -> None:
        """Start a moment ago: the first session may be older than this thread."""
        since = datetime.now(UTC) - timedelta(seconds=LATE_SECONDS)
        older = Revocation.objects.filter(at__lt=since)
        self._floor: int = older.aggregate(Max("pk"))["pk__max"] or 0
        self._heard: dict[int, float] = {}
        self._recent: list[tuple[float, Revocation]] = []
        self._version: int | None = None

    def look(self) -> None:
        """End the sessions that new rows concern."""
        now = time.monotonic()
        if self._moved():
            for row in Revocation.objects.filter(pk__gt=self._floor).order_by("pk"):
                if row.pk not in self._heard:
                    self._heard[row.pk] = now
                    self._recent.append((now, row))
        # Again and again for a while: a login that was let in before may come late.
        self._recent = [r for r in self._recent if now - r[0] < AGAIN_SECONDS]
        for _, row in self._recent:
            self._end(row)
        for pk in [k for k, at in self._heard.items() if now - at > LATE_SECONDS]:
            del self._heard[pk]
            self._floor = max(self._floor, pk)

    @staticmethod
    def _end(row: Revocation) -> None:
        """End whom it concerns; not who logged in behind it, with what is new."""
        concerned = concerns(row)
        whole = not (row.connection_id or row.app_password_id or row.access_token_id)

        def ends(entry: Entry) -> bool:
            login = entry.login
            return concerned(entry) and not (
                whole and version_of(login) == login.version
            )

        sessions.end(ends)

    def _moved(self) -> bool:
        """Tell whether anybody wrote anything, where that is cheap to know."""
        if connection.vendor != "sqlite" or connection.in_atomic_block:
            return True
        connection.ensure_connection()
        version = connection.connection.execute("PRAGMA data_version").fetchone()[0]
        moved = version != self._version
        self._version = version
        return bool(moved)


class Register:
    """This process's rows of OpenConnection."""

    def __init__(self) -> None:
        """Name this process so that no other, now or later, has its name."""
        host = socket.gethostname()[:40]
        self.worker = f"{host}:{os.getpid()}:{secrets.token_hex(4)}"
        self._written: dict[str, str] = {}  # connection -> client
        self._beat = float("-inf")

    def write(self) -> None:
        """Write what came and went since the last time."""
        entries = {e.context.connection_id: (s, e) for s, e in sessions.all()}
        new = [
            self._row(*pair)
            for key, pair in entries.items()
            if self._written.get(key) != pair[0].client
        ]
        gone = [key for key in self._written if key not in entries]
        beats = time.monotonic() - self._beat > HEARTBEAT_SECONDS
        if not (new or gone or beats):
            return
        with transaction.atomic():
            for some in _pieces(gone):
                OpenConnection.objects.filter(connection_id__in=some).delete()
            OpenConnection.objects.bulk_create(
                new,
                batch_size=AT_ONCE,
                update_conflicts=True,
                unique_fields=["connection_id"],
                update_fields=["client"],
            )
            if beats:
                self._still_here()
        self._written = {key: pair[0].client for key, pair in entries.items()}

    def _still_here(self) -> None:
        now = datetime.now(UTC)
        ServerProcess.objects.update_or_create(
            name=self.worker, defaults={"seen_at": now}
        )
        ServerProcess.objects.exclude(pk__in=alive().values("pk")).delete()
        gone = OpenConnection.objects.exclude(
            worker__in=ServerProcess.objects.values("name")
        )
        gone.delete()
        self._beat = time.monotonic()

    def clear(self) -> None:
        """Forget this process's rows."""
        OpenConnection.objects.filter(worker=self.worker).delete()
        ServerProcess.objects.filter(name=self.worker).delete()

    def _row(self, session: Session, entry: Entry) -> OpenConnection:
        context = entry.context
        return OpenConnection(
            connection_id=context.connection_id,
            worker=self.worker,
            user_id=entry.login.user_id,
            login=entry.login.email,
            service=context.service,
            address=context.peer,
            client=session.client[:100],
            tls=context.tls,
            since=entry.since,
        )


def _pieces(keys: list[str]) -> list[list[str]]:
    return [keys[i : i + AT_ONCE] for i in range(0, len(keys), AT_ONCE)]


class Watcher:
    """The thread of this process; started by its first session."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._process = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Watch, unless this process does already."""
        if self._process == os.getpid():
            return
        with self._guard:
            if self._process == os.getpid():
                return
            self._process = os.getpid()
            self._stop = threading.Event()
            self._thread = threading.Thread(
                target=self._run, name="mailhost-watcher", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the thread; the next session starts a new one."""
        with self._guard:
            self._process = 0
            self._stop.set()
            if self._thread is not None:
                self._thread.join(5)
                self._thread = None

    def _run(self) -> None:
        register = Register()
        while not self._stop.is_set():
            try:
                self._watch(register)
            except DatabaseError:
                log.warning("the watcher lost its connection", exc_info=True)
                connection.close()
                self._stop.wait(1.0)
        with contextlib.suppress(DatabaseError):
            register.clear()
        connection.close()

    def _watch(self, register: Register) -> None:
        revocations = Revocations()
        due = time.monotonic() + WRITE_SECONDS
        while not self._stop.wait(LOOK_SECONDS):
            revocations.look()
            if time.monotonic() >= due:
                register.write()
                due = time.monotonic() + WRITE_SECONDS


watcher = Watcher()


def connect() -> None:
    """Join the watcher to the sessions; called once by the app's ready()."""
    sessions.on_first = watcher.start
