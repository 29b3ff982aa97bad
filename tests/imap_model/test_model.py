"""What clients are told is what is there; RFC 9051 §7.5.1 and its kin are kept."""

from pathlib import Path

import pytest

from tests.imap_model.run import run, soak
from tests.imap_model.sites import (
    LAG_SECONDS,
    alternating,
    fresh_accounts,
    trusting,
    worker_processes,
)
from tests.servers import client_tls, running

STEPS = 160
SOAK_MINUTES = 20


@pytest.mark.engines
@pytest.mark.parametrize("seed", range(4))
def test_pictures_are_the_rows(transactional_db: None, seed: int) -> None:
    with running(["imap"]) as ports:
        world = run(fresh_accounts(ports, client_tls()), seed, STEPS)
    assert world.commands > STEPS


@pytest.mark.engines
def test_across_worker_processes(transactional_db: None, tmp_path: Path) -> None:
    with worker_processes(tmp_path) as two:
        tls = trusting(tmp_path / "tls" / "self-signed.pem")
        suits = alternating(two)
        make = fresh_accounts(two.ports, tls, lag_seconds=LAG_SECONDS, suits=suits)
        world = run(make, 5, STEPS)
    assert world.commands > STEPS


@pytest.mark.soak
@pytest.mark.engines
def test_for_minutes(transactional_db: None, tmp_path: Path) -> None:
    with worker_processes(tmp_path) as two:
        tls = trusting(tmp_path / "tls" / "self-signed.pem")
        suits = alternating(two)
        make = fresh_accounts(two.ports, tls, lag_seconds=LAG_SECONDS, suits=suits)
        runs, commands = soak(make, 1000, SOAK_MINUTES)
    assert commands > runs * STEPS
