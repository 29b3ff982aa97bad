"""Log lines that say which connection they are about."""

import logging
from collections.abc import MutableMapping
from typing import Any

from typing_extensions import override

from protocols.common.context import ConnectionContext


class ConnectionLog(logging.LoggerAdapter[logging.Logger]):
    """Adds the connection to each line: as text, and as members for JSON."""

    def __init__(self, logger: logging.Logger, context: ConnectionContext) -> None:
        """Speak for one connection in the name of one module."""
        super().__init__(
            logger,
            {
                "connection": context.connection_id,
                "service": context.service,
                "peer": context.peer,
            },
        )

    @override
    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        known = dict(self.extra or {})
        about = " ".join(f"{name}={value}" for name, value in known.items())
        kwargs["extra"] = {**known, **kwargs.get("extra", {})}
        return f"{msg} {about}", kwargs
