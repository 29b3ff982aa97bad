"""rspamd: its score, by its HTTP protocol (POST /checkv2)."""

import asyncio
import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from typing_extensions import override

from mailhost.screening.checks.base import Check
from mailhost.screening.values import Finding, Incoming

SECONDS = 10.0  # without a word from it
MOST_ANSWER = 1_000_000  # octets
MOST_SYMBOLS = 5  # that are shown


class RspamdError(Exception):
    """It did not answer as it should."""


class Rspamd(Check):
    """Adds rspamd's score to ours, whatever it would do itself."""

    name = "rspamd"

    @override
    def is_on(self) -> bool:
        return bool(settings.MAILHOST_RSPAMD)

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        # A thread of its own: it waits for the network.
        said = await asyncio.to_thread(ask, settings.MAILHOST_RSPAMD, incoming)
        score = float(said.get("score") or 0.0)
        if not said.get("symbols") and not score:
            return None
        return self.found(score, f"rspamd: {symbols(said.get('symbols'))}")


def ask(url: str, incoming: Incoming) -> Mapping[str, Any]:
    """Return rspamd's answer; raises OSError, RspamdError. Synchronous."""
    parts = urlsplit(url)
    kinds = {"https": http.client.HTTPSConnection, "http": http.client.HTTPConnection}
    connection = kinds[parts.scheme](parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        connection.request(
            "POST",
            parts.path.rstrip("/") + "/checkv2",
            incoming.octets,
            fields(incoming),
        )
        response = connection.getresponse()
        octets = response.read(MOST_ANSWER)
        if response.status != http.client.OK:
            raise RspamdError(f"rspamd answered {response.status}")
        answer = json.loads(octets)
    except (ValueError, http.client.HTTPException) as error:
        raise RspamdError("rspamd's answer cannot be read") from error
    finally:
        connection.close()
    if not isinstance(answer, dict):
        raise RspamdError("rspamd's answer is no object")
    return answer


def fields(incoming: Incoming) -> dict[str, str]:
    """Return the HTTP fields that tell what is not in the message."""
    told = {
        "IP": incoming.peer,
        "Helo": incoming.helo,
        "From": incoming.mail_from,
        "Rcpt": ",".join(incoming.recipients[:100]),
        "Hostname": incoming.origin.iprev.name,
        "MTA-Name": incoming.host,
    }
    return {
        name: "".join(c for c in value if " " <= c <= "~")[:4000]
        for name, value in told.items()
        if value
    }


def symbols(said: Any) -> str:
    """Return the symbols with the most points, by name."""
    if not isinstance(said, dict):
        return "no reason given"
    points = {
        str(name): float(one.get("score") or 0.0)
        for name, one in said.items()
        if isinstance(one, dict)
    }
    most = sorted(points, key=lambda name: -abs(points[name]))[:MOST_SYMBOLS]
    return ", ".join(most) or "no reason given"
