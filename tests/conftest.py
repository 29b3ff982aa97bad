"""What every test may lean on: a database, three persons, and where skips end.

The persons: alice and bob of example.test; stranger of other.test, who shares
nothing with them. All have the password PASSWORD.

MAILHOST_TEST_DATABASE=postgres runs the tests on a private PostgreSQL.
MAILHOST_TEST_REQUIRE=all turns a skip (a program that is missing) into a failure.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.db import connections

from tests import postgres
from tests.browser.site import chromium, site

if TYPE_CHECKING:  # models cannot be imported before the settings
    from accounts.models import User

__all__ = ["chromium", "site"]  # one browser, whichever directory asks
PASSWORD = "correct horse battery"
STATE = pytest.StashKey[postgres.Server]()
SCRATCH = pytest.StashKey[Path]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the run away from the machine's own data, and start what it needs."""
    config.stash[SCRATCH] = scratch = Path(tempfile.mkdtemp(prefix="mailhost-test-"))
    settings.MAILHOST_DATA_DIR = scratch
    # No test asks the world; tests/world has a DNS server for those that want one.
    settings.MAILHOST_DNS_SERVERS = ["none"]
    settings.MAILHOST_CHECK_MAIL = False
    # Argon2 is slow by design; what tests it names it.
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    if os.environ.get("MAILHOST_TEST_DATABASE") == "postgres":
        use_postgres(config)


def use_postgres(config: pytest.Config) -> None:
    """Start a server in the first process; the workers inherit its address."""
    if "MAILHOST_TEST_URL" not in os.environ:
        config.stash[STATE] = server = postgres.start()
        os.environ["MAILHOST_TEST_URL"] = server.url
    # The databases go with their server: dropping one waits for its last session.
    config.option.reuse_db = True
    settings.DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "mailhost",
        "HOST": os.environ["MAILHOST_TEST_URL"]
        .split("@")[1]
        .split("/")[0]
        .replace("%2F", "/"),
        "ATOMIC_REQUESTS": False,
    }
    connections.settings = connections.configure_settings(settings.DATABASES)
    # One that was made while the settings still named SQLite would stay so.
    for made in connections.all(initialized_only=True):
        del connections[made.alias]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    connections.close_all()
    if STATE in config.stash:
        os.environ.pop("MAILHOST_TEST_URL", None)
        config.stash[STATE].stop()
    shutil.rmtree(config.stash[SCRATCH], ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail what was skipped, where everything is required."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and everything_required():
        report.outcome = "failed"
        report.longrepr = f"skipped, and MAILHOST_TEST_REQUIRE=all: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a file that was skipped as a whole."""
    report = yield
    if report.skipped and everything_required():
        report.outcome = "failed"
        report.longrepr = f"skipped, and MAILHOST_TEST_REQUIRE=all: {report.longrepr}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser last: Playwright leaves its event loop running in the thread."""
    items.sort(key=lambda item: bool({"browser", "security"} & {*item.path.parts}))


def everything_required() -> bool:
    return os.environ.get("MAILHOST_TEST_REQUIRE") == "all"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> None:
    """Give each process of the run a SQLite file of its own."""
    default = connections["default"].settings_dict
    if "sqlite3" in default["ENGINE"]:
        default["TEST"]["NAME"] = str(settings.MAILHOST_DATA_DIR / "test.sqlite3")


@pytest.fixture(autouse=True)
def no_writes_behind_the_test() -> None:
    """What a login notes waits for accounts.afterwards.run_waiting().

    And no thread looks for what other processes say; tests/security starts those.
    """
    from accounts import afterwards, auth
    from protocols.common.presence import sessions

    afterwards.by_hand(on=True)
    auth.forget()
    sessions.on_first = None


@pytest.fixture(autouse=True)
def nothing_after_the_test() -> Generator[None]:
    """End threads that hold connections, and forget folders whose ids come again."""
    yield
    from mailhost.outbound import wake
    from mailhost.store.feed import feed
    from mailhost.store.gate import gate
    from mailhost.store.view import views

    gate.stop()
    wake.quiet()
    feed.stop()
    views.clear()


@pytest.fixture
def alice(db: None) -> "User":
    """alice@example.test, who owns what a test makes."""
    return person("alice", "example.test")


@pytest.fixture
def bob(db: None) -> "User":
    """bob@example.test, a colleague of alice's."""
    return person("bob", "example.test")


@pytest.fixture
def stranger(db: None) -> "User":
    """stranger@other.test, who may see nothing of theirs."""
    return person("stranger", "other.test")


def person(name: str, domain: str) -> "User":
    """Return a new user of domain, with a personal account and an address."""
    from accounts.models import Domain, User

    Domain.objects.get_or_create(name=domain)
    return User.objects.create_user(f"{name}@{domain}", PASSWORD, name=name.title())
