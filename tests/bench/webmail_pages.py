"""The webmail on a large mailbox: time of a page, in this process, without the network.

python -m tests.bench.webmail_pages [messages]
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator

WORDS = (
    "the", "a", "of", "to", "and", "we", "meeting", "budget", "report", "please",
    "today", "invoice", "project", "plan", "review", "bridge", "water", "lunch",
)  # fmt: skip
SEARCHES = (
    "meeting", "from:p7@a.example", "has:attachment", '"the meeting"', "is:flagged",
    "filename:plan500", "water lunch from:p12", "nothing", "older_than:90d larger:1k",
)  # fmt: skip
ROWS = {"HX-Request": "true", "HX-Target": "rows"}
READER = {"HX-Request": "true", "HX-Target": "reader"}


def letters(count: int) -> Iterator[bytes]:
    """Yield messages of which six of ten answer one of the last three hundred."""
    chance = random.Random(7)
    rare = ["".join(chance.choices("abcdefghijklmnop", k=7)) for _ in range(4000)]
    words = [*WORDS, *rare]

    def text(n: int) -> str:
        last = len(words) - 1
        return " ".join(
            words[min(int(chance.paretovariate(0.6)) - 1, last)] for _ in range(n)
        )

    known: list[tuple[str, str]] = []
    for number in range(count):
        subject, own, head = text(5), f"<{number}@bench.example>", ""
        if known and chance.random() < 0.6:
            subject, before = chance.choice(known[-300:])
            head = f"References: {before}\r\n"
        known.append((subject, own))
        head += f"From: P {number % 400} <p{number % 400}@a.example>\r\n"
        head += (
            f"To: alice@example.test\r\nMessage-ID: {own}\r\nSubject: Re: {subject}\r\n"
        )
        body = "\r\n".join(text(12) for _ in range(chance.randrange(4, 25)))
        if number % 10 == 0:
            head += "Content-Type: multipart/mixed; boundary=b\r\n"
            body = (
                f"--b\r\n\r\n{body}\r\n--b\r\nContent-Type: application/pdf\r\n"
                f"Content-Disposition: attachment; filename=plan{number}.pdf\r\n\r\n"
                "%PDF\r\n--b--"
            )
        yield f"{head}\r\n{body}\r\n".encode()


def main(messages: int = 100_000) -> None:
    """Fill a mailbox on a data directory of its own, measure, print."""
    with tempfile.TemporaryDirectory(prefix="mailhost-bench-") as directory:
        os.environ["MAILHOST_DATA_DIR"] = directory
        os.environ["DJANGO_SETTINGS_MODULE"] = "mailhost.settings"
        import django

        django.setup()
        measure(messages)


def measure(messages: int) -> None:
    from datetime import UTC, datetime, timedelta

    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    from accounts.models import Account, Domain, User
    from mailhost.importing import folder_for, import_messages
    from mailhost.mailfiles import Found
    from mailhost.store import conversations
    from mailhost.store.gate import gate

    settings.ALLOWED_HOSTS = ["*"]
    call_command("migrate", verbosity=0)
    Domain.objects.create(name="example.test")
    user = User.objects.create_user("alice@example.test", "x")
    account = Account.objects.get(owner=user).pk
    inbox = folder_for(account, "INBOX").id
    begin = datetime.now(UTC) - timedelta(minutes=4 * messages)
    import_messages(
        account,
        inbox,
        (
            Found(octets, n % 2, (), begin + timedelta(minutes=4 * n))
            for n, octets in enumerate(letters(messages))
        ),
    )
    call_command("rebuildsearch", verbosity=0)
    client = Client()
    client.force_login(user)
    base = f"/mail/{account}/{inbox}/"
    heads = conversations.page(inbox, threaded=True, limit=500)
    told = conversations.summaries(inbox, [m.thread_id for m in heads if m.thread_id])
    longest = max(heads, key=lambda m: told[m.thread_id or 0].count)
    count = told[longest.thread_id or 0].count
    show("the inbox, whole page", client, base, {})
    show("its rows", client, base, ROWS)
    show(f"a conversation of {count}", client, f"{base}{longest.uid}/", READER)
    for query in SEARCHES:
        show(f"search {query}", client, "/search/", ROWS, q=query)
    gate.stop()


def show(name: str, client: object, path: str, headers: object, **query: str) -> None:
    """Print the median and the 95th percentile of twenty, and the processor's time."""
    walls, cpus = [], []
    for _ in range(20):
        wall, cpu = time.perf_counter(), time.process_time()
        client.get(path, query, headers=headers)  # type: ignore[attr-defined] # Client
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    walls.sort()
    cpus.sort()
    print(  # noqa: T201
        f"{name:32} {walls[10]:6.1f} {walls[18]:6.1f} ms, processor {cpus[10]:5.1f} ms"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
