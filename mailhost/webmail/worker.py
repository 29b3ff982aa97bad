"""gunicorn's ASGI worker, which says goodbye to websockets before it waits for them.

`--worker-class mailhost.webmail.worker.Worker`. Without it an open tab holds the stop
up for the whole graceful timeout, and the browser hears 1006 instead of 1001.

It serves with TLS, too, on sockets that it inherits (`--env TLS_SOCKETS=7,8`): with
gunicorn's own TLS all sockets have it, and one certificate until the next start.
"""

import asyncio
import socket
import ssl
from typing import Any

from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers.gasgi import ASGIWorker
from typing_extensions import override


class Worker(ASGIWorker):  # type: ignore[misc] # gunicorn has no types
    """Closes websockets with 1001 (going away) on SIGTERM. RFC 6455 §7.4.1."""

    goodbye: "asyncio.Task[None] | None" = None

    @override
    async def _serve(self) -> None:
        inherited = self.cfg.env.get("TLS_SOCKETS", "")
        for number in filter(None, inherited.split(",")):
            server = await self.loop.create_server(
                lambda: ASGIProtocol(self),
                sock=socket.socket(fileno=int(number)),
                ssl=_by_name(),
            )
            self.servers.append(server)
        await super()._serve()

    @override
    def handle_exit_signal(self) -> None:
        # Imported late: the apps are loaded by the application, not by the worker.
        from mailhost.webmail.consumers import close_all

        self.goodbye = self.loop.create_task(close_all())
        super().handle_exit_signal()


def _by_name() -> ssl.SSLContext:
    """Return a context that goes on with the certificate of the name asked for."""
    # Imported late: settings are there once the application is.
    from mailhost.certificates.contexts import from_settings

    certificate = from_settings()

    def choose(tls: Any, asked: str | None, _: ssl.SSLContext) -> None:
        tls.context = certificate.web_context(asked)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sni_callback = choose
    return context
