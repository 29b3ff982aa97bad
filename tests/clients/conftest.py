"""A running server with alice and bob, for the programs of others."""

from collections.abc import Generator
from pathlib import Path

import pytest

from accounts.models import User
from tests.clients.site import Site
from tests.conftest import PASSWORD
from tests.servers import certificate, running


@pytest.fixture
def site(
    transactional_db: None, alice: User, bob: User, tmp_path: Path
) -> Generator[Site]:
    """All services on free ports of loopback, and an empty directory."""
    with running() as ports:
        yield Site(
            ports, alice.email, bob.email, PASSWORD, certificate()._files[0], tmp_path
        )
