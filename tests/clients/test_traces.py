"""The command sequences of mail programs, each answer read strictly."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from accounts.models import User
from mailhost.store import flags as store_flags
from tests.clients.site import LETTERS, Site, letter
from tests.conftest import person
from tests.imap_client.command import Change, Command, command
from tests.imap_client.wire import Client, connect, pump
from tests.imap_model.checkpoint import differs
from tests.imap_model.truth import folders
from tests.servers import client_tls

TRACES = Path(__file__).with_name("traces.txt")
STORE = re.compile(
    r"(UID )?STORE ([\d:,]+) (?:\(.*?\) )?([+-]?)FLAGS(\.SILENT)? \((.*)\)",
    re.IGNORECASE,
)
LITERAL = re.compile(r"\{n(\+?)\}$")
SIX = [letter("one"), *(LETTERS[k] for k in ("dots", "utf8", "blank", "multipart"))]
SIX.append(letter("six"))


def traces() -> dict[str, list[str]]:
    """Return program -> lines."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in TRACES.read_text().splitlines():
        if line.startswith("====="):
            lines = found[line[5:].strip()] = []
        elif line and not line.startswith("#"):
            lines.append(line)
    return found


@pytest.mark.parametrize("transport", ["clear", "starttls", "tls", "compress"])
def test_programs_are_served(site: Site, transport: str) -> None:
    for number, (program, trace) in enumerate(traces().items()):
        whose = replace(site, alice=person(f"user{number}", "example.test").email)
        whose.fill(whose.alice, SIX)
        with closing(log_in(whose, transport)) as client:
            play(whose, client, trace)
            assert client.bye, program


def play(site: Site, client: Client, trace: list[str]) -> None:
    """Send the lines; what the client then knows of its mailbox is so."""
    for lines in bursts(trace):
        sent = [ask(site, client, line) for line in lines]
        pump([client], lambda last=sent[-1]: last.result is not None)  # type: ignore[misc]
        for asked, line in zip(sent, lines, strict=True):
            assert asked.result is not None
            may_refuse = line.startswith("NO ")
            kinds = {"OK", "NO", "BAD"} if may_refuse else {"OK"}
            assert asked.result.kind in kinds, (line, asked.result)
            check_answered(client, asked, line)
        assert (wrong := differs(client, folders(site.alice))) is None, wrong


def log_in(site: Site, transport: str) -> Client:
    tls = client_tls()
    if transport == "tls":
        client = connect(site.port("imaps"), tls=tls)
    else:
        client = connect(site.port("imap"))
    if transport == "starttls":
        client.start_tls(tls)
    client.ok(f'LOGIN "{site.alice}" "{site.password}"')
    if transport == "compress":
        client.compress()
    return client


def bursts(lines: list[str]) -> Iterator[list[str]]:
    """Yield lines that are sent together."""
    together: list[str] = []
    for line in lines:
        if not line.startswith("<pipe> ") and together:
            yield together
            together = []
        together.append(line.removeprefix("<pipe> "))
    yield together


def ask(site: Site, client: Client, line: str) -> Command:
    line = line.removeprefix("NO ")
    if line == "<idle>":
        return idle(site, client)
    if line == "COMPRESS DEFLATE":
        return compress(client)
    octets = SIX[4]
    literal = LITERAL.search(line)
    if literal is None:
        made = command(line)
    else:
        verb, _, rest = line[: literal.start()].partition(" ")
        head = f" {rest}{{{len(octets)}{literal[1]}}}\r\n".encode()
        parts = (head + octets,) if literal[1] else (head, octets)
        made = Command(verb, parts)
    made.change = change(line)
    return client.send(made)


def change(line: str) -> Change | None:
    """Return what a STORE does to a client's own picture."""
    found = STORE.fullmatch(line)
    if found is None:
        return None
    uid, chosen, sign, silent, words = found.groups()
    ranges = [part.split(":") for part in chosen.split(",")]
    named = [n for ends in ranges for n in range(int(ends[0]), int(ends[-1]) + 1)]
    system = {name.lower(): name for name in store_flags.NAMES.values()}
    flags = frozenset(system.get(word.lower(), word) for word in words.split())
    uids, numbers = (named, None) if uid else (None, named)
    return Change(sign, flags, bool(silent), uids=uids, numbers=numbers)


def idle(site: Site, client: Client) -> Command:
    """Idle until a letter has come in, where one would be told of it."""
    asked = client.send(command("IDLE"))
    pump([client], lambda: bool(asked.told("+")))
    if client.picture is not None and not client.picture.read_only:
        site.fill(site.alice, [letter("while idling")])
        pump([client], lambda: bool(asked.told("EXISTS")))
    client.say(b"DONE")
    return asked


def compress(client: Client) -> Command:
    """Begin to compress, unless that is done: then it is refused."""
    if client.compresses:
        asked = client.run("COMPRESS DEFLATE")
        assert asked.result is not None
        assert asked.result.code == "COMPRESSIONACTIVE"
        return client.run("NOOP")
    return client.compress()


def check_answered(client: Client, asked: Command, line: str) -> None:
    """Each answers with what it is for."""
    if asked.name in {"FETCH", "UID FETCH"} and client.picture is not None:
        assert asked.told("FETCH"), line
    for kind in ("SEARCH", "SORT", "THREAD", "STATUS", "NAMESPACE", "LSUB"):
        if asked.name.removeprefix("UID ") == kind:
            told = asked.told(kind) or asked.told("ESEARCH") or asked.told("LIST")
            assert told or kind == "LSUB", line


def test_the_letters_of_a_trace_are_stored(site: Site, alice: User) -> None:
    """What a program appends is what others read."""
    with closing(log_in(site, "clear")) as client:
        sent = ask(site, client, 'APPEND "INBOX" {n}')
        pump([client], lambda: sent.result is not None)
    assert site.folder(site.alice) == [SIX[4]]
