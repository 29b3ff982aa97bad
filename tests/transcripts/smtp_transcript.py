"""Run an SMTP conversation of tests/transcripts/smtp over loopback sockets.

    # What it shows.
    rfc: 5321 §4.1.1
    service: mx | submission | lmtp                       (default: mx)
    tls: no | on                                          (default: no)
    set: MAILHOST_MAX_RECIPIENTS 2
    alias: away far@far.example                           (at example.test)
    quota: bob 1000

    C1: NOOP          a line of client 1, CRLF is added; C1> sends an escaped text as is
    S1: 250 2.0.0 OK  the next line from the server; $* is anything, $name a word
    S1: <closed>      the server has ended it;  C1: <tls> the client begins TLS
    C1: <login bob>   AUTH PLAIN with the right password
    = alice 2         there are two messages in the INBOX of alice
    ? alice $*text$*  a line of her newest message
    > far@far.example SUCCESS      what the queue holds for an address: its NOTIFY

`S1...` skips to the line that follows.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async

from accounts.models import Account, Address, Domain
from mailhost.outbound.models import QueueRecipient
from protocols.smtp import server
from tests.conftest import PASSWORD
from tests.transcripts.pop3_transcript import octets_of, pattern
from tests.unit.smtp import inbox
from tests.unit.smtp.conftest import Client, Services, plain, trusting

STEP = re.compile(
    r"(?P<who>[CS=?>])(?P<number>\d*)(?P<verb>:|>|\.\.\.|)(?: (?P<text>.*))?"
)
SERVICES = {
    "mx": server.mx_factory,
    "submission": server.submission_factory,
    "lmtp": server.lmtp_factory,
}
SECONDS = 10

Chunks = Callable[[bytes], Iterator[bytes]]


@dataclass
class Transcript:
    """A conversation: `headers`, then numbered `lines`."""

    path: Path
    headers: list[tuple[str, str]]
    lines: list[tuple[int, str]]
    clients: dict[str, Client] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Transcript":
        numbered = list(enumerate(path.read_text("utf-8").splitlines(), start=1))
        gap = next(i for i, (_, line) in enumerate(numbered) if not line)
        head = [line.partition(": ") for _, line in numbered[:gap] if line[0] != "#"]
        body = [(n, line) for n, line in numbered[gap:] if line and line[0] != "#"]
        return cls(path, [(key, value) for key, _, value in head], body)

    def values(self, key: str) -> list[str]:
        return [value for name, value in self.headers if name == key]

    async def run(self, services: Services, chunks: Chunks, settings: Any) -> None:
        """Play the clients; raise AssertionError where the server departs."""
        # The peer is no stranger: what concerns those is tested elsewhere.
        settings.MAILHOST_UNCHECKED_NETWORKS = ["192.0.2.0/24"]
        for text in self.values("set"):
            name, _, value = text.partition(" ")
            setattr(settings, name, int(value))
        await sync_to_async(self.prepare)()
        skipping = False
        for number, line in self.lines:
            step = STEP.fullmatch(line)
            where = f"{self.path.name}:{number}"
            assert step, f"{where}: not a step: {line}"
            text = step["text"] or ""
            if step["who"] == "C":
                await self.say(services, step, text, chunks)
            elif step["who"] in "=?>":
                await self.look(step["who"], text, where)
            elif step["verb"] == "...":
                skipping = True
            else:
                client = await self.client(services, step["number"])
                await self.expect(client, text, where, skipping=skipping)
                skipping = False
        for client in self.clients.values():
            # All that was answered before a NOOP is, was looked at.
            if not client.reader.at_eof():
                client.writer.write(b"NOOP\r\n")
                left = await asyncio.wait_for(client.reader.readline(), SECONDS)
                assert left in {b"250 2.0.0 OK\r\n", b""}, f"{self.path.name}: {left!r}"

    def prepare(self) -> None:
        """Make what the headers name."""
        for text in self.values("alias"):
            name, *forward_to = text.split(" ")
            domain = Domain.objects.get(name="example.test")
            Address.objects.create(
                domain=domain, local_part=name, forward_to=forward_to
            )
        for text in self.values("quota"):
            name, octets = text.split(" ")
            account = Account.objects.get(owner__email=f"{name}@example.test")
            account.quota_bytes = int(octets)
            account.save()

    async def client(self, services: Services, number: str) -> Client:
        if number not in self.clients:
            [name] = self.values("service") or ["mx"]
            tls = self.values("tls") == ["on"]
            self.clients[number] = await services.connect(SERVICES[name], tls=tls)
        return self.clients[number]

    async def say(
        self, services: Services, step: re.Match[str], text: str, chunks: Chunks
    ) -> None:
        client = await self.client(services, step["number"])
        if text == "<tls>":
            await client.writer.start_tls(trusting())
            return
        if text.startswith("<login "):
            who = text[7:-1] + "@example.test"
            text = f"AUTH PLAIN {plain(who, PASSWORD)}"
        if text == "<end>":
            client.writer.write_eof()
            return
        for chunk in chunks(octets_of(step["verb"], text)):
            await client.send(chunk)
            await asyncio.sleep(0)

    async def expect(
        self, client: Client, text: str, where: str, *, skipping: bool
    ) -> None:
        seen: list[str] = []
        while True:
            line = await asyncio.wait_for(client.reader.readline(), SECONDS)
            seen.append(line.decode().rstrip("\r\n") if line else "<closed>")
            assert not line or line.endswith(b"\r\n"), f"{where}: {line!r}"
            if match := pattern(text, self.bound).fullmatch(seen[-1]):
                self.bound |= match.groupdict()
                return
            if not skipping or not line:
                raise AssertionError(
                    f"{where}:\n  expected {text!r}\n  got      {seen}"
                )

    async def look(self, kind: str, text: str, where: str) -> None:
        """Compare with what was stored or queued."""
        who, _, rest = text.partition(" ")
        if kind == ">":
            rows = QueueRecipient.objects.filter(address=who)
            found = [row.notify async for row in rows.order_by("pk")]
            assert found == [rest], f"{where}: {found}"
            return
        mail = await inbox.messages(f"{who}@example.test")
        if kind == "=":
            assert len(mail) == int(rest), f"{where}: {len(mail)}"
            return
        lines = mail[-1].decode("utf-8", "backslashreplace").split("\r\n")
        wanted = pattern(rest, self.bound)
        assert any(wanted.fullmatch(line) for line in lines), f"{where}: {lines}"
