"""imaplib and what is built on it, over COMPRESS=DEFLATE."""

import imaplib
import io
import socket
import zlib
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class DeflatedSocket:
    """Stands for a socket: what is sent is compressed and flushed."""

    def __init__(self, sock: socket.socket, flush: int) -> None:
        self._sock = sock
        self._flush = flush
        self._out = zlib.compressobj(9, zlib.DEFLATED, -15)
        self._in = zlib.decompressobj(-15)

    def sendall(self, octets: bytes) -> None:
        self._sock.sendall(self._out.compress(octets) + self._out.flush(self._flush))

    def recv(self, most: int) -> bytes:
        """Return octets as soon as there are any."""
        while True:
            if found := self._in.decompress(self._in.unconsumed_tail, most):
                return found
            octets = self._sock.recv(4096)
            if not octets:
                return b""
            if found := self._in.decompress(octets, most):
                return found

    def __getattr__(self, name: str) -> object:
        return getattr(self._sock, name)


class _Raw(io.RawIOBase):
    def __init__(self, sock: DeflatedSocket) -> None:
        self._sock = sock

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        octets = self._sock.recv(len(view))
        view[: len(octets)] = octets
        return len(octets)


def compress(client: imaplib.IMAP4, flush: int = zlib.Z_SYNC_FLUSH) -> None:
    """Turn compression on; imaplib goes on over it."""
    imaplib.Commands.setdefault("COMPRESS", ("AUTH", "SELECTED"))
    kind, _ = client._simple_command("COMPRESS", "DEFLATE")
    assert kind == "OK"
    deflated = DeflatedSocket(client.sock, flush)
    client.sock = deflated  # type: ignore[assignment]
    client.file = io.BufferedReader(_Raw(deflated))
