"""The clients, the steps they take, and the checkpoints."""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.imap_client.command import Command, command
from tests.imap_client.picture import Picture, Violation
from tests.imap_client.responses import Response
from tests.imap_client.surroundings import Watching
from tests.imap_client.wire import Client, connect, pump, turn
from tests.imap_model.actions import (
    ALONE,
    FIXED,
    idle,
    knows_where,
    notify_set,
    quoted,
    some_action,
)
from tests.imap_model.checkpoint import check_counts, check_oracle, differs, learn_rest
from tests.imap_model.oracle import Oracle, digest
from tests.imap_model.truth import FolderTruth

# What a client may be refused; anything else is a fault.
REFUSALS = {
    "NONEXISTENT", "TRYCREATE", "ALREADYEXISTS", "CANNOT", "INUSE", "NOPERM",
    "HASCHILDREN", "EXPUNGEISSUED", "READ-ONLY",
}  # fmt: skip
KINDS = ("rev1", "condstore", "qresync", "rev2")
ENABLES = {
    "rev1": (), "condstore": ("CONDSTORE",), "qresync": ("QRESYNC",),
    "rev2": ("IMAP4rev2", "CONDSTORE"),
}  # fmt: skip
GONE = ("The selected mailbox is gone", "The selected mailbox was made anew")
MOST_PIPELINED = 5
HARMLESS = {"NOOP", "CHECK", "IDLE", "SEARCH", "UID SEARCH", "STATUS", "LIST"}


@dataclass(frozen=True)
class Step:
    """`kind`: burst, wait, leave or check. `seed`: the dice of this step alone.

    `client`: counted round the clients that there are.
    """

    kind: str
    client: int
    seed: int


def steps(seed: int, count: int) -> list[Step]:
    """Return the steps of a run; every fortieth is a checkpoint, and the last."""
    dice = Random(seed)
    kinds = ("burst",) * 12 + ("wait",) * 3 + ("leave",)
    found = []
    for number in range(1, count + 1):
        kind = "check" if number % 40 == 0 else dice.choice(kinds)
        found.append(Step(kind, dice.randrange(60), dice.getrandbits(64)))
    return [*found, Step("check", 0, dice.getrandbits(64))]


@dataclass
class Site:
    """Where the server is, and how to look at its rows."""

    ports: dict[str, int]
    login: str
    password: str
    truth: Callable[[], dict[str, FolderTruth]]
    tls: ssl.SSLContext
    # Until what one process commits is known to all.
    lag_seconds: float = 0.0
    # Whether client number n may have this connection, or tries another.
    suits: Callable[[int, Client], bool] = lambda _number, _client: True


@dataclass
class World:
    """A run. `transports`: how each client connects: clear, starttls, tls, compress."""

    site: Site
    seed: int
    clients: int = 3
    transports: tuple[str, ...] = ("clear",)
    oracle: Oracle = field(default_factory=Oracle)
    transcript: list[str] = field(default_factory=list)
    there: list[Client] = field(default_factory=list)
    floors: dict[str, dict[int, int]] = field(default_factory=dict)  # by tag
    commands: int = 0
    ghosts: list[Client] = field(default_factory=list)  # left with work under way

    def __post_init__(self) -> None:
        for number in range(self.clients):
            self.there.append(self._connect(number))
        for name in FIXED[1:]:
            self.there[0].run(f"CREATE {quoted(self.there[0], name)}")

    @property
    def all(self) -> list[Client]:
        return [*self.there, *self.ghosts]

    def close(self) -> None:
        for client in self.all:
            client.close()

    def take(self, step: Step) -> None:
        """Do one step; raises Violation."""
        dice = Random(step.seed)
        client = self._living(step.client % len(self.there))
        match step.kind:
            case "burst":
                self._burst(client, dice)
            case "wait":
                self._drain(client)
            case "leave":
                self._leave(step.client % len(self.there), dice)
            case _:
                self.check(dice)
        turn(self.all, 0)

    # Connections.

    def _connect(self, number: int) -> Client:
        transport = self.transports[number % len(self.transports)]
        client = self._dial(number, transport)
        while not self.site.suits(number, client):
            client.close()
            client = self._dial(number, transport)
        if transport == "starttls":
            client.start_tls(self.site.tls)
        self.transcript.append(f"- {client.name} connects: {transport}")
        client.transcript = self.transcript
        client.ok(f'LOGIN {self.site.login} "{self.site.password}"')
        client.ok("CAPABILITY")
        if transport == "compress" and "COMPRESS=DEFLATE" in client.capabilities:
            client.compress()
        self._enable(client, KINDS[(self.seed + number) % len(KINDS)])
        client.listener = self.heard
        return client

    def _dial(self, number: int, transport: str) -> Client:
        name, ports = "ABCDEFGH"[number], self.site.ports
        if transport == "tls":
            return connect(ports["imaps"], name, self.site.tls)
        return connect(ports["imap"], name)

    def _enable(self, client: Client, kind: str) -> None:
        for name in ENABLES[kind]:
            if name.upper() in {one.upper() for one in client.capabilities}:
                client.ok(f"ENABLE {name}")

    def _living(self, number: int) -> Client:
        client = self.there[number]
        if client.bye or client.is_over:
            allowed = client.bye in GONE and self.oracle.deleted
            if not allowed:
                raise Violation(f"{client.name} was sent away: {client.bye!r}")
            client.close()
            self.there[number] = self._connect(number)
        return self.there[number]

    def _leave(self, number: int, dice: Random) -> None:
        """Break the connection, and come back knowing what one knew."""
        client = self.there[number]
        if dice.random() < 0.5:
            self._drain(client)
        known = client.picture and client.picture.as_left()
        self.transcript.append(f"- {client.name} leaves")
        if any(one.name not in HARMLESS for one in client.running):
            # What it asked for is still done: no checkpoint before it is.
            self.ghosts.append(client)
            client.name = client.name.lower()
        else:
            client.close()
        client = self.there[number] = self._connect(number)
        if known is None or known.modseq == 0 or dice.random() < 0.2:
            return
        if client.mode.qresync:
            self._come_back(client, known)

    def _come_back(self, client: Client, known: Picture) -> None:
        """RFC 7162 §3.2.5: what changed since then, in one round trip."""
        client.resync = known
        # Open at its end: of UIDs outside of the set nothing is told (§3.2.5.1).
        uids = f" {known.uids[0]}:4294967295" if known.uids else ""
        since = f"{known.uid_validity} {known.modseq}{uids}"
        name = quoted(client, known.name)
        self._send(
            client, command(f"SELECT {name} (QRESYNC ({since}))", target=known.name)
        )
        self._drain(client)

    # Commands.

    def _burst(self, client: Client, dice: Random) -> None:
        if client.head is not None and client.head.name == "IDLE":
            self._drain(client)
            client = self._living(self.there.index(client))
        for _ in range(dice.choice((1, 1, 2, MOST_PIPELINED))):
            action, asked = some_action(client, dice)
            if action in ALONE:
                self._drain(client)
                client = self._living(self.there.index(client))
                if (again := action(client, dice)) is None:
                    return
                asked = again
            self._send(client, asked)
            if action is idle:
                return
            if action in ALONE:
                self._drain(client)
                return

    def _send(self, client: Client, asked: Command) -> None:
        self.commands += 1
        if asked.name == "DELETE":
            self.oracle.deleted = True
        client.send(asked)
        self.floors[asked.tag] = dict(self.oracle.next_uid)

    def _drain(self, client: Client) -> None:
        """Wait until nothing is under way."""
        head = client.head
        if head is not None and head.name == "IDLE":
            pump(self.all, lambda: bool(client.bye) or bool(head.told("+")))
            if not client.bye:
                client.say(b"DONE")
        pump(self.all, lambda: not client.running or client.is_over)

    def heard(self, client: Client, told: Response, running: Command | None) -> None:
        """Take a response into what all know."""
        if told.kind == "FETCH":
            self._heard_fetch(client, told)
        elif told.code == "UIDNEXT" and client.picture is None and running is not None:
            validity = [r.argument for r in running.said if r.code == "UIDVALIDITY"]
            if validity:
                self.oracle.told_next(validity[0], told.argument)
        elif told.code == "COPYUID" and client.picture is not None:
            validity, source, target = told.argument
            floor = self.floors[running.tag] if running is not None else {}
            self.oracle.issue(validity, target, floor.get(validity, 0))
            here = client.picture.uid_validity
            self.oracle.copied(
                ((here, a), (validity, b)) for a, b in zip(source, target, strict=True)
            )
        if told.is_tagged and running is not None:
            self._done(client, running, told)

    def _heard_fetch(self, client: Client, told: Response) -> None:
        picture = client.picture
        if picture is None:
            return
        entry = picture.entries[told.number - 1]
        if entry.uid is None:
            return
        place = (picture.uid_validity, entry.uid)
        if (octets := told.value.get(b"BODY[]")) is not None:
            self.oracle.holds(place, digest(octets))
        if b"FLAGS" in told.value and b"MODSEQ" in told.value:
            assert entry.flags is not None
            self.oracle.told_flags(place, told.value[b"MODSEQ"], entry.flags)

    def _done(self, client: Client, done: Command, result: Response) -> None:
        floor = self.floors.pop(done.tag, {})
        if result.kind == "BAD" or (
            result.kind == "NO" and result.code not in REFUSALS
        ):
            raise Violation(f"{done.name} {done.parts[0][:200]!r}: {result.raw!r}")
        if done.name == "APPEND" and result.kind == "OK":
            if result.code != "APPENDUID":
                raise Violation("APPEND without APPENDUID")
            validity, uids = result.argument
            self.oracle.issue(validity, uids, floor.get(validity, 0))
            for uid, octets_digest in zip(uids, done.digests, strict=True):
                self.oracle.holds((validity, uid), octets_digest)
        if done.name.endswith("MOVE") and client.picture is not None:
            self._check_moved(client.picture, done)

    def _check_moved(self, picture: Picture, done: Command) -> None:
        for told in done.said:
            if told.code == "COPYUID":
                left = set(told.argument[1]) & set(picture.uids)
                if left:
                    raise Violation(f"moved, and not told as gone: {sorted(left)}")

    # Checkpoints.

    def check(self, dice: Random) -> None:
        """Let all come to rest, and hold what each knows against the rows."""
        idlers = [c for c in self.there if c.head and c.head.name == "IDLE"]
        for client in self.there:
            if client not in idlers:
                self._drain(client)
        for client in self.ghosts:
            self._drain(client)
            client.close()
        self.ghosts.clear()
        truth = self.site.truth()
        self.transcript.append("- checkpoint")
        watchers = [c for c in self.there if c.watching and c not in idlers]
        self._settle([*idlers, *watchers], truth, push=True)
        for client in idlers:
            self._drain(client)
        for client in watchers:
            self._thaw(client)
        for number in range(len(self.there)):
            self._settle([self._living(number)], truth, push=False)
        for client in self.there:
            learn_rest(client, truth)
        check_oracle(self.oracle, truth)
        check_counts(self.there[dice.randrange(len(self.there))], truth)

    def _thaw(self, client: Client) -> None:
        """Let a client that wanted to hear nothing hear what it missed."""
        watching = client.watching
        if watching is not None and not watching.pushes and not client.bye:
            others = watching.others and knows_where(client)
            again = Watching("SELECTED-DELAYED", others=others)
            self._send(client, notify_set(again))
            self._drain(client)

    def _settle(
        self, clients: list[Client], truth: dict[str, FolderTruth], *, push: bool
    ) -> None:
        """Let clients hear the rest: pushed to them, or by NOOP."""
        deadline = time.monotonic() + self.site.lag_seconds + (1.0 if push else 0.0)
        while True:
            if not push:
                for client in clients:
                    self._drain_noop(client)
            found = (differs(client, truth, pushed=push) for client in clients)
            wrong = next(filter(None, found), None)
            if wrong is None:
                return
            if time.monotonic() > deadline:
                raise Violation(wrong)
            turn(self.all, 0.1)

    def _drain_noop(self, client: Client) -> None:
        self._send(client, command("NOOP"))
        self._drain(client)
