"""Which messages a folder holds already: by Message-ID and content.

Found by the conversation that the Message-ID leads to, or without one by size: no index
of the content's hash is kept for it. Two are the same when their octets are, up to the
line ends behind them. For an import, which asks again and again: what was read of the
folder is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mailhost.store import read, sql, threads
from mailhost.store.content import Prepared

NEAR = 4  # octets by which line ends at the end may differ
Known = tuple[bytes, int, int]  # sha256, size, content id or 0


@dataclass(slots=True)
class Doubles:
    """What was found out of one folder so far."""

    account_id: int
    folder_id: int
    by_id: dict[str, list[Known]] = field(default_factory=dict)
    by_size: dict[int, list[Known]] = field(default_factory=dict)
    threads: set[int] = field(default_factory=set)

    def are_known(self, items: Sequence[tuple[Prepared, bytes]]) -> list[bool]:
        """Tell of each (prepared, its octets) whether the folder, or those, had it."""
        self._read([prepared for prepared, _ in items])
        told = []
        for prepared, octets in items:
            is_known = self._is_known(prepared, octets)
            told.append(is_known)
            if not is_known:
                self._keep(prepared.message_id, (_sha(prepared), prepared.size, 0))
        return told

    def _keep(self, message_id: str, known: Known) -> None:
        if message_id:
            self.by_id.setdefault(message_id, []).append(known)
        else:
            self.by_size.setdefault(known[1], []).append(known)

    def _is_known(self, prepared: Prepared, octets: bytes) -> bool:
        sha = _sha(prepared)
        if prepared.message_id:
            near = self.by_id.get(prepared.message_id, [])
        else:
            near = [one for s in _around(prepared.size) for one in self.by_size[s]]
        if any(known[0] == sha for known in near):
            return True
        plain = None
        for _, size, content_id in near:
            if content_id and abs(size - prepared.size) <= NEAR:
                plain = plain or octets.rstrip(b"\r\n")
                if read.octets(content_id).rstrip(b"\r\n") == plain:
                    return True
        return False

    def _read(self, batch: Sequence[Prepared]) -> None:
        named = [one for one in batch if one.message_id]
        found = threads.threads_of(self.account_id, [one.message_id for one in named])
        if fresh := sorted(set(found) - self.threads):
            self.threads.update(fresh)
            self._take(*sql.among("m.thread_id", fresh))
        nameless = [one.size for one in batch if not one.message_id]
        sizes = {near for size in nameless for near in _around(size)}
        if new := sorted(sizes - self.by_size.keys()):
            for size in new:
                self.by_size[size] = []
            self._take(*sql.among("m.size", new), nameless=True)

    def _take(
        self, condition: str, parameters: Sequence[object], *, nameless: bool = False
    ) -> None:
        """Keep what the folder has under a condition."""
        where = " AND c.message_id = ''" if nameless else " AND c.message_id <> ''"
        rows = sql.rows(
            "SELECT c.message_id, c.sha256, c.size, c.id FROM mail_message m"  # noqa: S608 - our own names
            " JOIN mail_content c ON c.id = m.content_id"
            f" WHERE m.folder_id = %s AND {condition}{where}",
            [self.folder_id, *parameters],
        )
        for message_id, sha, size, content_id in rows:
            self._keep(message_id, (bytes(sha), size, content_id))


def _around(size: int) -> range:
    return range(max(0, size - NEAR), size + NEAR + 1)


def _sha(prepared: Prepared) -> bytes:
    found: bytes = prepared.row["sha256"]
    return found
