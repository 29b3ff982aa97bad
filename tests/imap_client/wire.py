"""A connection that checks what it hears: commands out, responses in. No thread.

Several clients are pumped together (`pump`), so each may have commands under way while
another acts; nothing ever waits for one alone.
"""

import select
import socket
import ssl
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tests.imap_client.command import Command, command
from tests.imap_client.cursor import Mode
from tests.imap_client.picture import Picture, Violation
from tests.imap_client.reader import Reader
from tests.imap_client.responses import Response
from tests.imap_client.surroundings import Surroundings, Watching

SECONDS = 20  # that an answer may take
OCTETS = 1 << 16
ASKING = {"LIST", "STATUS", "NOTIFY", "SELECT", "EXAMINE"}  # for LIST or STATUS
SHOWN = 300  # octets of a line in the transcript


@dataclass(eq=False)
class Client:
    """One connection, and the picture of what it has selected."""

    sock: socket.socket
    name: str = "C"
    transcript: list[str] = field(default_factory=list)
    # Told of each response, with the command that runs.
    listener: Callable[["Client", Response, Command | None], None] | None = None
    reader: Reader = field(default_factory=Reader)
    picture: Picture | None = None
    running: deque[Command] = field(default_factory=deque)
    capabilities: set[str] = field(default_factory=set)
    bye: str = ""
    resync: Picture | None = None  # what the client still has of what it opens
    watching: Watching | None = None  # what NOTIFY asked for
    surroundings: Surroundings | None = None  # of who watches all its mailboxes
    _opening: Picture | None = None
    _parts: deque[tuple[bytes, bool]] = field(default_factory=deque)
    _out: bytearray = field(default_factory=bytearray)
    _tags: int = 0
    _inflate: "zlib._Decompress | None" = None
    _deflate: "zlib._Compress | None" = None

    @property
    def mode(self) -> Mode:
        return self.reader.mode

    @property
    def is_over(self) -> bool:
        return self.sock.fileno() < 0

    @property
    def head(self) -> Command | None:
        """The command that the server is busy with."""
        return self.running[0] if self.running else None

    # Out.

    def send(self, asked: Command) -> Command:
        """Queue a command behind those under way."""
        self._tags += 1
        asked.tag = f"{self.name}{self._tags}"
        first = f"{asked.tag} {asked.name}".encode() + asked.parts[0]
        rest = asked.parts[1:]
        for n, part in enumerate([first, *rest]):
            ends = n == len(rest)
            self._parts.append((part + b"\r\n" * ends, n > 0))
            self._log("C", part)
        self.running.append(asked)
        if len(self.running) == 1:
            self._begin(asked)
        self._feed(continued=False)
        return asked

    def say(self, octets: bytes) -> None:
        """Send what is no command: DONE, a SASL response."""
        self._log("C", octets)
        self._put(octets + b"\r\n")

    def _feed(self, *, continued: bool) -> None:
        """Move parts out, up to one that waits for a continuation."""
        while self._parts and (continued or not self._parts[0][1]):
            self._put(self._parts.popleft()[0])
            continued = False

    def _put(self, octets: bytes) -> None:
        if self._deflate is not None:
            octets = self._deflate.compress(octets)
            octets += self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._out += octets
        self.flush()

    def flush(self) -> None:
        """Send what the socket takes."""
        try:
            while self._out:
                del self._out[: self.sock.send(self._out[:OCTETS])]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:  # the server has left; what it said last is still to be read
            self._out.clear()

    @property
    def wants_out(self) -> bool:
        return bool(self._out)

    # In.

    def receive(self) -> bool:
        """Take what is there; False: the connection is over."""
        try:
            octets = self.sock.recv(OCTETS)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return True
        except ConnectionError:
            octets = b""
        if not octets:
            if not self.reader.is_between:
                raise Violation("the connection ended within a response")
            return False
        if self._inflate is not None:
            octets = self._inflate.decompress(octets)
        for response in self.reader.feed(octets):
            self._log("S", response.raw)
            self._take(response)
        return True

    def _take(self, response: Response) -> None:
        running = self.head
        if running is not None:
            running.said.append(response)
        if response.tag == "+":
            self._continue(running)
        elif response.tag == "*":
            self._untagged(response, running)
        else:
            self._tagged(response)
        if self.listener is not None:
            self.listener(self, response, running)

    def _continue(self, running: Command | None) -> None:
        if running is None:
            raise Violation("a continuation while no command runs")
        if self._parts and self._parts[0][1]:
            self._feed(continued=True)
        elif running.name not in {"IDLE", "AUTHENTICATE"}:
            raise Violation(f"a continuation that {running.name} does not want")

    def _untagged(self, response: Response, running: Command | None) -> None:
        if response.kind == "BYE":
            self.bye = response.text
        if response.kind == "CAPABILITY" or response.code == "CAPABILITY":
            names = response.value or response.argument
            self.capabilities = {name.decode() for name in names}
        self._around(response, running)
        if response.code == "CLOSED":
            self.picture = None
            if self.surroundings is not None:
                self.surroundings.selected = ""
        elif self.picture is not None:
            self.picture.take(response, running)
        elif self._opening is not None:
            self._opening.take(response, running)
        elif response.kind in {"EXISTS", "EXPUNGE", "FETCH", "RECENT", "VANISHED"}:
            raise Violation(f"{response.kind} while nothing is selected")

    def _tagged(self, response: Response) -> None:
        running = self.head
        if running is None or running.tag != response.tag:
            raise Violation(f"an answer to {response.tag}, which does not run")
        running.result = response
        self.running.popleft()
        if running.opens:
            opened = self._opening if response.kind == "OK" else None
            self.picture, self._opening = opened, None
            if opened is not None:
                opened.read_only = response.code == "READ-ONLY"
                if self.resync is not None:
                    opened.merge(self.resync)
            self.resync = None
        elif response.kind == "OK" and running.name in {"CLOSE", "UNSELECT"}:
            self.picture = None
        if response.kind == "OK":
            self._did(running)
        if self.picture is not None:
            self.picture.end(running, response)
        if self.running:
            self._begin(self.running[0])

    def _around(self, response: Response, running: Command | None) -> None:
        """Take what is told of other mailboxes; unasked only where it was wanted."""
        asked = running is not None and running.name in ASKING
        if response.kind not in {"LIST", "STATUS"}:
            return
        if self.surroundings is not None:
            self.surroundings.take(response)
        elif not asked:
            raise Violation(f"{response.kind} that nobody asked for")

    def _did(self, done: Command) -> None:
        if done.watching is not None:
            self._notified(done, done.watching)
        elif self.surroundings is not None:
            self.surroundings.did(done)

    def _notified(self, done: Command, watching: Watching) -> None:
        """RFC 5465 §3.1: it holds from the tagged OK on."""
        self.watching = watching
        self.mode.free = watching.at_once
        self.surroundings = None
        if watching.others:
            self.surroundings = Surroundings()
            for told in done.said:
                self.surroundings.take(told)
            if self.picture is not None:
                self.surroundings.make(self.picture.name)
                self.surroundings.selected = self.picture.name

    def _begin(self, running: Command) -> None:
        if running.opens:
            self._opening = Picture(running.target, self.mode)
        elif self.picture is not None:
            self.picture.begin(running)

    def _log(self, who: str, octets: bytes) -> None:
        """Note a line and the beginning of what its literals hold."""
        first, *rest = octets.rstrip(b"\r\n").split(b"\r\n", 1)
        text = first[:SHOWN].decode("utf-8", "backslashreplace")
        if rest:
            text += f" … {len(rest[0])} octets … {rest[0][-30:]!r}"
        self.transcript.append(f"{who} {self.name}: {text}")

    # For one alone.

    def run(self, asked: Command | str) -> Command:
        """Send one and wait for its end."""
        sent = self.send(command(asked) if isinstance(asked, str) else asked)
        pump([self], lambda: sent.result is not None or self.is_over)
        return sent

    def ok(self, asked: Command | str) -> Command:
        """Send one that has to succeed."""
        done = self.run(asked)
        if done.result is None or done.result.kind != "OK":
            raise Violation(f"{done.name}: {done.result}")
        return done

    def start_tls(self, context: ssl.SSLContext) -> None:
        self.ok("STARTTLS")
        self.sock.settimeout(SECONDS)
        self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self.sock.setblocking(False)

    def compress(self) -> Command:
        """Speak DEFLATE from here on. RFC 4978 §3."""
        done = self.ok("COMPRESS DEFLATE")
        self._inflate = zlib.decompressobj(-15)
        self._deflate = zlib.compressobj(wbits=-15)
        return done

    @property
    def compresses(self) -> bool:
        return self._deflate is not None

    def close(self) -> None:
        """Leave without a word."""
        self.sock.close()


def connect(port: int, name: str = "C", tls: ssl.SSLContext | None = None) -> Client:
    """Return a client that has been greeted; TLS from the start, if given."""
    sock = socket.create_connection(("localhost", port), SECONDS)
    if tls is not None:
        sock = tls.wrap_socket(sock, server_hostname="localhost")
    sock.setblocking(False)
    client = Client(sock, name)
    pump([client], lambda: bool(client.transcript))
    return client


def pump(clients: Sequence[Client], until: Callable[[], bool]) -> None:
    """Move octets both ways until it is so; raises Violation if it takes too long."""
    deadline = time.monotonic() + SECONDS
    while not until():
        seconds = deadline - time.monotonic()
        if seconds < 0:
            waiting = [f"{c.name} {one.name}" for c in clients for one in c.running]
            raise Violation(f"no answer in {SECONDS} s to {waiting}")
        turn(clients, min(seconds, 1.0))


def turn(clients: Iterable[Client], seconds: float) -> None:
    """Wait for octets of any client, and take them."""
    there = [c for c in clients if not c.is_over]
    ready = [c for c in there if isinstance(c.sock, ssl.SSLSocket) and c.sock.pending()]
    sockets = {c.sock.fileno(): c for c in there}
    outs = [number for number, c in sockets.items() if c.wants_out]
    ins, outs, _ = select.select(sockets, outs, [], 0 if ready else seconds)
    for number in outs:
        sockets[number].flush()
    for client in dict.fromkeys([*ready, *(sockets[number] for number in ins)]):
        if not client.receive():
            client.close()
            if client.running and not client.bye:
                raise Violation(f"{client.name}: closed without BYE")
