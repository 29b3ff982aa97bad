"""Every SMTP transcript, whole and octet by octet."""

from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from tests.transcripts.pop3_transcript import Chunks, one_by_one, whole
from tests.transcripts.smtp_transcript import Transcript
from tests.unit.smtp.conftest import Services, services, ssl_context

__all__ = ["services", "ssl_context"]

FILES = sorted((Path(__file__).parent / "smtp").glob("*.txt"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("chunks", [whole, one_by_one], ids=lambda f: f.__name__)
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
async def test_transcript(
    path: Path,
    chunks: Chunks,
    services: Services,
    alice: User,
    bob: User,
    settings: Any,
) -> None:
    await Transcript.read(path).run(services, chunks, settings)
