"""An authority that asks this process."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings as configured
from django.utils import timezone

from mailhost.certificates import keys, wanted
from mailhost.certificates.files import PURPOSE
from mailhost.certificates.models import IssuedCertificate
from mailhost.dnsauth.resolver import forget
from mailhost.jobs import runner
from mailhost.sealing import sealed
from mailhost.store.gate import gate
from protocols.common import plainweb
from protocols.common.sockets import bind
from tests.world.pebble import Pebble, pebble
from tests.world.strangeca import StrangeCa, strange_ca

HOST = "mail.example.test"


def run(name: str = HOST) -> str:
    """Run the job of a name now; return what it failed with."""
    failed = runner.run_one(wanted.JOB, name)
    return "" if failed is None else str(failed)


def row(name: str = HOST) -> IssuedCertificate:
    return IssuedCertificate.objects.get(name=name)


@pytest.fixture
def plain(settings: Any) -> Iterator[int]:
    """The small server for plain HTTP; its port."""
    sock = bind("127.0.0.1", 0, "http")
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        await plainweb.serve_until(stop, [sock])
        await gate.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    yield int(sock.getsockname()[1])
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


@pytest.fixture
def here(settings: Any, tmp_path: Path) -> Path:
    """A data directory of the test's own, on a host with a name; ACME is set up."""
    settings.MAILHOST_DATA_DIR = tmp_path / "var"
    settings.MAILHOST_HOSTNAME = HOST
    settings.MAILHOST_ACME_DIRECTORY = "http://127.0.0.1:1/directory"
    settings.MAILHOST_ACME_AGREE_TERMS = True
    settings.MAILHOST_DATA_DIR.mkdir()
    forget()
    return tmp_path / "var"


@pytest.fixture
def authority(
    here: Path, settings: Any, tmp_path: Path, plain: int
) -> Iterator[Pebble]:
    """pebble, which refuses half of the nonces."""
    variables = {"PEBBLE_WFE_NONCEREJECT": "50"}
    names = [HOST, "mta-sts.example.test"]
    folder = tmp_path / "pebble"
    with pebble(folder, names=names, http_port=plain, variables=variables) as found:
        settings.MAILHOST_DNS_SERVERS = [found.world.server]
        use(settings, found)
        yield found


def use(settings: Any, found: Pebble) -> None:
    settings.MAILHOST_ACME_DIRECTORY = found.directory
    settings.MAILHOST_ACME_CA_FILE = found.trusted


@pytest.fixture
def strange(here: Path, settings: Any) -> Iterator[StrangeCa]:
    """An authority that says what the test wants."""
    with strange_ca() as found:
        settings.MAILHOST_ACME_DIRECTORY = found.directory
        wanted.note()
        yield found


def self_issued(name: str = HOST, *, days: int = 90, age: int = 0) -> tuple[str, str]:
    """Return a key and a certificate of it, PEM, that is so many days old."""
    secret = keys.new_key()
    key = keys.key_in(secret)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begins = timezone.now() - timedelta(days=age)
    public = key.public_key()
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(names, critical=False)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    return secret, made.public_bytes(Encoding.PEM).decode()


def put(name: str = HOST, *, days: int = 90, age: int = 0) -> IssuedCertificate:
    """Make the row of a certificate that was issued `age` days ago."""
    secret, chain = self_issued(name, days=days, age=age)
    found = keys.facts(chain)
    made, _ = IssuedCertificate.objects.update_or_create(
        name=name,
        defaults={
            "chain": chain,
            "secret": sealed(PURPOSE, secret),
            "directory": configured.MAILHOST_ACME_DIRECTORY,
            "begins_at": found.begins_at,
            "ends_at": found.ends_at,
            "renew_at": found.renew_at,
            "fetched_at": timezone.now(),
            "ask_at": timezone.now(),
        },
    )
    return made
