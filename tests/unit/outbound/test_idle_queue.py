"""A long queue costs nothing while nothing in it is due: rows visited, counted."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mailhost.outbound import notices, queue
from mailhost.outbound.models import QueueMessage, QueueRecipient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]

ROWS = 100_000
# What a runner asks each second or two, whatever it has to do.
QUESTIONS: dict[str, Callable[[], Any]] = {
    "is something due": queue.is_due,
    "has a sender to be told": notices.notices,
    "is a report done with": notices.is_silent_due,
}
FILL = """
INSERT INTO outbound_queuerecipient (message_id, address, domain, state, due, attempts,
    notify, orcpt, status, last_reply, last_host, relayed, told, delay)
WITH RECURSIVE numbers(n) AS (
    SELECT %s UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < %s
)
SELECT %s - n %% %s, 'a@d' || n || '.test', 'd' || n || '.test',
    CASE WHEN n %% 10 = 0 THEN 'sent' WHEN n %% 10 = 1 THEN 'held' ELSE 'queued' END,
    %s, 1, '', '', '', '', '', false, n %% 10 = 0, ''
FROM numbers
"""


def fill(first: int, end: int) -> None:
    """Put in rows that are not due for an hour, and some that are done with."""
    later = timezone.now() + timedelta(hours=1)
    wanted = (end - first) // 20
    QueueMessage.objects.bulk_create(
        QueueMessage(mail_from="a@b.test", octets=b"x", size=1, expires_at=later)
        for _ in range(wanted)
    )
    last = QueueMessage.objects.latest("pk").pk
    with connection.cursor() as cursor:
        cursor.execute(FILL, [first, end, last, wanted, later])
        cursor.execute("ANALYZE outbound_queuerecipient")
        cursor.execute("ANALYZE outbound_queuemessage")


def work(question: Callable[[], Any]) -> int:
    """Return what the engine does for it: steps of SQLite, rows of PostgreSQL."""
    question()  # what is asked once in a connection is not counted
    with CaptureQueriesContext(connection) as asked:
        assert not question()
    if connection.vendor == "sqlite":
        return _steps(question)
    return sum(_visited(query["sql"]) for query in asked)


def _steps(question: Callable[[], Any]) -> int:
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.connection.set_progress_handler(count, 1)
    try:
        question()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return steps


def _visited(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")
        found = cursor.fetchone()[0]
    plan = json.loads(found) if isinstance(found, str) else found
    return sum(map(_rows_of, [plan[0]["Plan"]]))


def _rows_of(node: Any) -> int:
    left_out = sum(v for k, v in node.items() if k.startswith("Rows Removed"))
    mine = (node["Actual Rows"] + left_out) * node["Actual Loops"]
    return int(mine) + sum(map(_rows_of, node.get("Plans", ())))


def indexes(question: Callable[[], Any]) -> str:
    with CaptureQueriesContext(connection) as asked:
        question()
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    plans = []
    with connection.cursor() as cursor:
        for query in asked:
            cursor.execute(f"{explain} {query['sql']}")
            plans.append(" ".join(str(row) for row in cursor.fetchall()))
    return "\n".join(plans)


def test_a_hundred_thousand_rows_cost_what_a_thousand_do() -> None:
    fill(0, 1_000)
    before = {name: work(question) for name, question in QUESTIONS.items()}
    fill(1_000, ROWS)
    assert QueueRecipient.objects.count() == ROWS
    assert {name: work(question) for name, question in QUESTIONS.items()} == before
    with CaptureQueriesContext(connection) as asked:
        queue.is_due()
    assert len(asked) == 1
    assert "queuerecipient_due" in indexes(queue.is_due)
    assert "queuerecipient_untold" in indexes(notices.is_silent_due)
    told = indexes(notices.notices)
    assert "queuerecipient_untold" in told
    assert "queuerecipient_delay" in told


def test_one_row_that_is_due_is_found_among_them() -> None:
    fill(0, ROWS)
    row = QueueRecipient.objects.filter(state="queued").order_by("?").first()
    assert row is not None
    QueueRecipient.objects.filter(pk=row.pk).update(due=timezone.now())
    assert queue.is_due()
    assert "queuerecipient_due" in indexes(queue.is_due)
