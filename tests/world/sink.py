"""A server that takes every message on loopback and keeps it, with its recipients."""

import socketserver
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from typing_extensions import override

OFFERED = "250-sink\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 SIZE 60000000"


@dataclass
class Sink:
    """What arrived: (sender, recipients, octets), as one transaction each."""

    port: int = 0
    delay_seconds: float = 0.0  # before each message is answered
    messages: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int, seconds: float = 30) -> None:
        """Wait until so many messages arrived."""
        with self.arrived:
            came = self.arrived.wait_for(lambda: len(self.messages) >= count, seconds)
        assert came, f"{len(self.messages)} of {count} messages arrived"

    def _took(self, sender: str, recipients: list[str], octets: bytes) -> None:
        with self.arrived:
            self.messages.append((sender, recipients, octets))
            self.arrived.notify_all()


class _Talk(socketserver.StreamRequestHandler):
    @override
    def handle(self) -> None:
        with suppress(ConnectionError):  # who was killed says no goodbye
            self.talk()

    def talk(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        sender, recipients = "", list[str]()
        self.say("220 sink ESMTP")
        while line := self.rfile.readline():
            words = line.decode("utf-8", "replace").strip()
            verb = words[:4].upper()
            if verb == "EHLO":
                self.say(OFFERED)
                continue
            if verb == "MAIL":
                sender, recipients = _address(words), []
            elif verb == "RCPT":
                recipients.append(_address(words))
            elif verb == "DATA":
                self.say("354 go")
                octets = self.octets()
                if octets is None:
                    return  # cut off: RFC 5321 §4.1.1.4, nothing was received
                time.sleep(server.sink.delay_seconds)
                server.sink._took(sender, recipients, octets)
            self.say("221 bye" if verb == "QUIT" else "250 2.0.0 ok")
            if verb == "QUIT":
                return

    def octets(self) -> bytes | None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                return None
            lines.append(line[1:] if line[:1] == b"." else line)
        return b"".join(lines)

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


def _address(words: str) -> str:
    return words.partition("<")[2].partition(">")[0]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 100
    sink: Sink


@contextmanager
def sink() -> Generator[Sink]:
    """Listen on a free port of 127.0.0.1."""
    found = Sink()
    with _Server(("127.0.0.1", 0), _Talk) as server:
        server.sink = found
        found.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
