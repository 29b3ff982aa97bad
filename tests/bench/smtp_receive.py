"""Messages per second that MX takes durably: one server process, N connections.

    python tests/bench/smtp_receive.py [messages] [connections] [octets]

The server runs in this process on uvloop, the clients in another one.
"""

import asyncio
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

USERS = 50


async def client(port: int, numbers: "list[int]", wire: bytes) -> None:
    """Send messages one after the other on one connection, pipelined."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    writer.write(b"EHLO bench.example\r\n")
    while (await reader.readline())[3:4] == b"-":
        pass
    while numbers:
        to = numbers.pop() % USERS
        writer.write(
            b"MAIL FROM:<x@far.example>\r\nRCPT TO:<u%d@bench.test>\r\nDATA\r\n" % to
        )
        for _ in range(3):
            line = await reader.readline()
            assert line[:1] in b"23", line
        writer.write(wire)
        line = await reader.readline()
        assert line[:3] == b"250", line
    writer.close()


async def clients(port: int, count: int, connections: int, size: int) -> float:
    """Return the seconds that it took."""
    body = b"".join(b"line %d of a message\r\n" % n for n in range(size // 25))
    wire = (
        b"From: A <a@far.example>\r\nTo: b@bench.test\r\nSubject: test\r\n"
        b"Message-ID: <1@x>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n"
        + body
        + b".\r\n"
    )
    numbers = list(range(count))
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(client(port, numbers, wire))
    return time.perf_counter() - start


def load(port: int, count: int, connections: int, size: int) -> None:
    """Run the clients and say how fast they were."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(clients(port, min(count, 300), connections, size))
        seconds = runner.run(clients(port, count, connections, size))
    sys.stdout.write(f"{count / seconds:.0f} messages/s\n")


async def serve(count: int, connections: int, size: int) -> None:
    """Serve until the clients are done."""
    from mailhost.store.gate import gate
    from protocols.common.context import ConnectionContext, Limits
    from protocols.common.wheel import TimerWheel
    from protocols.smtp.server import mx_factory

    limits, wheel = Limits.from_settings(), TimerWheel()
    loop = asyncio.get_running_loop()

    def made() -> asyncio.Protocol:
        return mx_factory(
            ConnectionContext(
                *("bench", "smtp", "127.0.0.1", 1, 25, False, None, False, "mx.test"),
                limits,
                wheel,
            )
        )

    server = await loop.create_server(made, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(
        target=load, args=(port, count, connections, size)
    )
    process.start()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cpu = time.process_time()
    await asyncio.to_thread(process.join)
    cpu = time.process_time() - cpu
    done = count + min(count, 300)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"server CPU {cpu / done * 1e6:.0f} us a message\n")
    sys.stdout.write(f"server memory {peak - before:.0f} MiB above the start\n")
    server.close()
    await gate.close()


def main() -> None:
    """Make a database in a scratch directory, then measure."""
    arguments = [int(word) for word in sys.argv[1:]]
    given = [*arguments, *(3000, 20, 10_000)[len(arguments) :]]
    count, connections, size = given
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MAILHOST_DATA_DIR"] = scratch
        os.environ["MAILHOST_LOG_LEVEL"] = "WARNING"
        os.environ["DJANGO_SETTINGS_MODULE"] = "mailhost.settings"
        import django
        import uvloop
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        from accounts.models import Domain, User

        Domain.objects.create(name="bench.test")
        for n in range(USERS):
            User.objects.create_user(f"u{n}@bench.test")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(count, connections, size))


if __name__ == "__main__":
    main()
