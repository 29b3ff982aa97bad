"""Who is connected now, in all processes of all hosts; and how to end a connection."""

from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet

from accounts.revocation import end_connection
from protocols.models import OpenConnection, ServerProcess

SILENT_SECONDS = 180  # a process that says nothing for so long is gone


def alive() -> QuerySet[ServerProcess]:
    """Return the processes that are there."""
    since = datetime.now(UTC) - timedelta(seconds=SILENT_SECONDS)
    return ServerProcess.objects.filter(seen_at__gte=since)


def connected() -> QuerySet[OpenConnection]:
    """Return the connections that somebody has logged in on, oldest first."""
    rows = OpenConnection.objects.filter(worker__in=alive().values("name"))
    return rows.order_by("since", "pk")


def kick(who: str) -> list[OpenConnection]:
    """End a connection by its id, or all of a login; return what will end.

    Each ends within a second. The login itself stays as good as it was.
    """
    rows = connected()
    found = list(rows.filter(connection_id=who) or rows.filter(login=who.lower()))
    for row in found:
        end_connection(row.connection_id)
    return found
