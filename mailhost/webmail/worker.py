"""gunicorn's ASGI worker, which says goodbye to websockets before it waits for them.

`--worker-class mailhost.webmail.worker.Worker`. Without it an open tab holds the stop
up for the whole graceful timeout, and the browser hears 1006 instead of 1001.
"""

import asyncio

from gunicorn.workers.gasgi import ASGIWorker
from typing_extensions import override


class Worker(ASGIWorker):  # type: ignore[misc] # gunicorn has no types
    """Closes websockets with 1001 (going away) on SIGTERM. RFC 6455 §7.4.1."""

    goodbye: "asyncio.Task[None] | None" = None

    @override
    def handle_exit_signal(self) -> None:
        # Imported late: the apps are loaded by the application, not by the worker.
        from mailhost.webmail.consumers import close_all

        self.goodbye = self.loop.create_task(close_all())
        super().handle_exit_signal()
