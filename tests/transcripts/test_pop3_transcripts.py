"""Every POP3 transcript, whole and octet by octet."""

from ast import literal_eval
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import User
from tests.transcripts.pop3_transcript import (
    Chunks,
    Transcript,
    one_by_one,
    unescaped,
    whole,
)
from tests.unit.pop3.inbox import fill

FILES = sorted((Path(__file__).parent / "pop3").glob("*.txt"))


@pytest.mark.parametrize("chunks", [whole, one_by_one], ids=lambda f: f.__name__)
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_transcript(
    path: Path, chunks: Chunks, alice: User, settings: Settings
) -> None:
    transcript = Transcript.read(path)
    for line in transcript.values("setting"):
        name, value = line.split()
        setattr(settings, name, literal_eval(value))
    fill(alice, [unescaped(text) for text in transcript.values("message")])
    transcript.run(chunks)
