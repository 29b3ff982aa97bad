"""Every IMAP transcript, whole and octet by octet."""

import ast
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mailhost.store.view import views
from protocols.imap import quirks
from protocols.imap.connection import Connection
from protocols.models import ClientQuirk
from tests.conftest import PASSWORD, person
from tests.transcripts.imap_transcript import (
    Chunks,
    Player,
    Transcript,
    one_by_one,
    session,
    whole,
)
from tests.transcripts.imap_world import fill, message, share, write

if TYPE_CHECKING:
    from accounts.models import User

FILES = sorted((Path(__file__).parent / "imap").glob("*.txt"))


@pytest.mark.parametrize("chunks", [whole, one_by_one], ids=lambda f: f.__name__)
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_imap_transcript(path: Path, chunks: Chunks, alice: "User") -> None:
    views.clear()  # ids come again after a rollback
    transcript = Transcript.read(path)
    for line in transcript.values("mailbox"):
        name, _, words = line.partition(" ")
        fill(alice, name, words.split())
    for line in transcript.values("message"):
        name, _, text = line.partition(" ")
        message(alice, name, ast.literal_eval(f"b{text!r}".replace("\\\\", "\\")))
    for line in transcript.values("quota"):
        limits = dict(zip(("quota_bytes", "quota_messages"), line.split(), strict=True))
        type(alice.account).objects.filter(pk=alice.account.pk).update(**limits)
    for name in transcript.values("person"):
        person(name, "example.test")
    quirks.cache.read_at = float("-inf")
    for line in transcript.values("quirk"):
        name, version, hidden = line.split("; ")
        ClientQuirk.objects.create(name=name, version=version, hidden=hidden)
    for line in transcript.values("shared"):
        name, _, what = line.partition(" ")
        share(alice, name, what.split())
    transcript.run(chunks, open_player)


def open_player(transcript: Transcript, number: str) -> Player:
    people = dict(line.split() for line in transcript.values("client"))
    made = session(transcript.value("tls", "no"))
    most = int(transcript.value("limit", "0"))
    saves = most or int(transcript.value("savelimit", "0"))
    made.at = replace(made.at, message_limit=most, save_limit=saves)
    made.enabled |= {name.upper() for name in transcript.values("enable")}
    player = Player(Connection(made), write)
    if transcript.value("login", "yes") == "yes":
        login = f"{people.get(number, 'alice')}@example.test"
        player.unread.clear()
        player.hear(f'x LOGIN {login} "{PASSWORD}"\r\n'.encode())
        assert player.unread.pop().startswith("x OK [CAPABILITY")
        player.unread.clear()
    return player
