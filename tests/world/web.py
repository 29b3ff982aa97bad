"""A web server on loopback that answers a path with what a test says."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Web:
    """What is answered, by path; octets that begin with HTTP/ go out as they are."""

    port: int = 0
    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        self.asked.append(lines[0].split()[1])
        self.hosts.append(fields["host"])
        self.bodies.append(
            await reader.readexactly(int(fields.get("content-length", 0)))
        )
        page = self.pages.get(self.asked[-1], b"")
        if page == b"slow":
            await asyncio.sleep(30)
        if not page.startswith(b"HTTP/"):
            status = b"200 OK" if page else b"404 Not Found"
            page = (
                b"HTTP/1.1 %b\r\nContent-Type: text/plain\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (status, len(page), page)
            )
        writer.write(page)
        await writer.drain()


@asynccontextmanager
async def web_server(context: ssl.SSLContext | None) -> AsyncIterator[Web]:
    """Serve on a free port."""
    web, tasks = Web(), set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        await web.talk(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    web.port = server.sockets[0].getsockname()[1]
    yield web
    server.close()
    for task in tasks:
        assert task is not None
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)  # type: ignore[arg-type]
