"""An ACME server that says what a test wants, where pebble says nothing of the kind."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

ERROR = "urn:ietf:params:acme:error:"


@dataclass
class StrangeCa:
    """What is answered, by path: status, JSON, and more headers."""

    port: int = 0
    answers: dict[str, tuple[int, object, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def directory(self) -> str:
        return f"{self.base}/dir"

    def refuse(self, path: str, status: int, code: str, detail: str, **h: str) -> None:
        """Answer a path with an error of RFC 8555 §6.7."""
        body = {"type": ERROR + code, "detail": detail}
        headers = {name.replace("_", "-"): value for name, value in h.items()}
        self.answers[path] = (status, body, headers)

    def answer(self, path: str) -> tuple[int, object, dict[str, str]]:
        if path in self.answers:
            return self.answers[path]
        names = ("newNonce", "newAccount", "newOrder", "renewalInfo")
        directory = {name: f"{self.base}/{name}" for name in names}
        usual: dict[str, tuple[int, object, dict[str, str]]] = {
            "/dir": (200, directory, {}),
            "/newNonce": (200, {}, {}),
            "/newAccount": (201, {}, {"Location": f"{self.base}/account"}),
        }
        return usual.get(path, (404, {"type": ERROR + "malformed"}, {}))


@contextmanager
def strange_ca() -> Generator[StrangeCa]:
    """Serve on a free port."""
    made = StrangeCa()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            made.asked.append(self.path)
            status, body, headers = made.answer(self.path)
            octets = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            more = {"Content-Type": "application/json", "Replay-Nonce": "bm9uY2U"}
            for name, value in (more | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(octets)

        do_GET = do_HEAD = do_POST = answer  # noqa: N815 - the base names them so

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()
