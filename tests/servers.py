"""Real servers, in this process, on free ports, within milliseconds.

    with running(protocols=["imap", "smtp"]) as ports:
        client = imaplib.IMAP4("127.0.0.1", ports["imap"])

The test needs rows that threads share: `@pytest.mark.django_db(transaction=True)`.
`ports` maps every service of protocols.common.services (imap, imaps, smtp, submission,
submissions, lmtp, pop3, pop3s, sieve) to its port; `client_tls()` trusts the server.
"""

import asyncio
import ssl
import tempfile
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import uvloop

from mailhost.certificates.contexts import Certificate, make_self_signed
from protocols.common import sockets
from protocols.common.server import Server
from protocols.common.services import Service, chosen


@contextmanager
def running(
    protocols: Iterable[str] | None = None,
    services: list[Service] | None = None,
    certificate_: Certificate | None = None,
) -> Generator[dict[str, int]]:
    """Serve these names or groups (None: all); or services made by the test.

    certificate_: another than the one that `client_tls` trusts.
    """
    with serving(
        chosen(protocols) if services is None else services, certificate_
    ) as server:
        yield server.ports


class Serving:
    """A server on a loop in a thread."""

    def __init__(
        self, services: list[Service], certificate_: Certificate | None = None
    ) -> None:
        self.certificate = certificate_ or certificate()
        self.listeners = sockets.listen_for(services, free_ports=True)
        self.ports = sockets.ports_of(self.listeners)
        self.loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self.server: Server | None = None
        self.error: BaseException | None = None
        self._started = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="servers", daemon=True)

    def __enter__(self) -> "Serving":
        self._thread.start()
        self._started.wait(30)
        if self.error is not None:
            raise self.error
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Drain, and close the store's threads."""
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        assert not self._thread.is_alive(), "the servers did not stop"
        for listener in self.listeners:
            listener.socket.close()

    def _run(self) -> None:
        try:
            self.loop.run_until_complete(self._serve())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
        except BaseException as error:  # noqa: BLE001 -- the test's thread raises it
            self.error = error
        finally:
            self._started.set()
            self.loop.close()

    async def _serve(self) -> None:
        self.server = Server(self.listeners, self.certificate)
        self.server.start()
        self._started.set()
        await self._stop.wait()
        await self.server.drain()
        if find_spec("mailhost.store.deliver") is not None:
            from mailhost.store.gate import gate
            from protocols.common.logins import slowly

            await gate.close()
            await asyncio.to_thread(slowly.stop)


def serving(
    services: list[Service], certificate_: Certificate | None = None
) -> Serving:
    """Return the servers with their insides, for tests of those."""
    return Serving(services, certificate_)


@cache
def certificate() -> Certificate:
    """The one certificate of this run."""
    folder = Path(tempfile.mkdtemp(prefix="mailhost-tls-"))
    chain, key = folder / "chain.pem", folder / "key.pem"
    make_self_signed(chain, key, "localhost")
    return Certificate(chain, key)


def client_tls() -> ssl.SSLContext:
    """A client's context that trusts `certificate` and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificate()._files[0])
    return context
