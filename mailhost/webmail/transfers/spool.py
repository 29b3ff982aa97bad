"""The rows of an upload as a file that can be read from anywhere."""

import io

from typing_extensions import Buffer, override

from mailhost.webmail.models import Transfer, TransferChunk

CHUNK = 262_144  # octets of each row but the last


class Spool(io.RawIOBase):
    """One chunk is in memory at a time."""

    def __init__(self, transfer: Transfer) -> None:
        """Begin at the start."""
        self._id, self._size = transfer.pk, transfer.received
        self._at, self._number, self._octets = 0, -1, b""

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def tell(self) -> int:
        return self._at

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        number, start = divmod(self._at, CHUNK)
        if self._at >= self._size or not len(view):
            return 0
        if number != self._number:
            self._octets, self._number = self._chunk(number), number
        piece = self._octets[start : start + len(view)]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _chunk(self, number: int) -> bytes:
        row = TransferChunk.objects.filter(transfer_id=self._id, number=number)
        found = row.values_list("octets", flat=True).first()
        return b"" if found is None else bytes(found)


def opened(transfer: Transfer) -> io.BufferedReader:
    """Return what was uploaded as a file."""
    return io.BufferedReader(Spool(transfer), CHUNK)
