"""Client quirks: whom they fit, what they hide, how soon they count."""

from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from protocols.imap.quirks import FRESH_SECONDS, Cache, Quirk, hidden_from, shown
from protocols.models import ClientQuirk

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

IDLE = frozenset({"IDLE"})


@pytest.mark.parametrize(
    ("patterns", "said", "fits"),
    [
        ({"name": "badmail"}, {"name": "BadMail"}, True),
        ({"name": "badmail"}, {"Name": "badmail", "version": "3"}, True),
        ({"name": "badmail"}, {"name": "badmail pro"}, False),
        ({"name": "bad*"}, {"name": "badmail pro"}, True),
        ({"name": "bad*"}, {}, False),
        ({"name": "*"}, {}, True),
        ({"name": "bad?ail"}, {"name": "bad-ail"}, True),
        ({"name": "*", "version": "1.*"}, {"name": "x", "version": "1.2"}, True),
        ({"name": "*", "version": "1.*"}, {"name": "x", "version": "11"}, False),
        ({"name": "*", "version": "1.*"}, {"name": "x"}, False),
        ({"name": "*", "os": "ios"}, {"name": "x", "os": "iOS"}, True),
        ({"name": "*", "vendor": "a"}, {"name": "x", "vendor": "b"}, False),
    ],
)
def test_whom_it_fits(
    patterns: dict[str, str], said: dict[str, str], *, fits: bool
) -> None:
    quirk = Quirk(tuple(patterns.items()), IDLE)
    assert hidden_from([quirk], said) == (IDLE if fits else frozenset())


@pytest.mark.parametrize(
    ("hidden", "left"),
    [
        (
            {"IDLE"},
            ("THREAD=REFS", "THREAD=X", "APPENDLIMIT=5", "SORT", "SORT=DISPLAY"),
        ),
        (
            {"THREAD=REFS"},
            ("THREAD=X", "APPENDLIMIT=5", "SORT", "SORT=DISPLAY", "IDLE"),
        ),
        ({"THREAD"}, ("APPENDLIMIT=5", "SORT", "SORT=DISPLAY", "IDLE")),
        ({"APPENDLIMIT", "SORT"}, ("THREAD=REFS", "THREAD=X", "IDLE")),
    ],
)
def test_what_it_hides(hidden: set[str], left: tuple[str, ...]) -> None:
    names = (
        "THREAD=REFS", "THREAD=X", "APPENDLIMIT=5", "SORT", "SORT=DISPLAY", "IDLE",
    )  # fmt: skip
    assert set(shown(names, frozenset(hidden))) == set(left)


@pytest.mark.engines
def test_a_changed_row_counts_after_a_few_seconds(
    db: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    now = [100.0]
    monkeypatch.setattr("protocols.imap.quirks.time.monotonic", lambda: now[0])
    cache = Cache()
    assert cache.fresh() is None
    row = ClientQuirk.objects.create(name="Bad*", hidden="idle")
    with django_assert_num_queries(1):
        cache.read()
    row.is_active = False
    row.save(update_fields=["is_active"])
    now[0] += FRESH_SECONDS - 0.1
    with django_assert_num_queries(0):
        quirks = cache.fresh()
    assert quirks is not None
    assert hidden_from(quirks, {"name": "badmail"}) == IDLE
    now[0] += 0.2
    assert cache.fresh() is None
    assert cache.read() == []


@pytest.mark.parametrize(
    ("hidden", "wrong"),
    [
        ("idle  THREAD=refs idle", ""),
        ("IDLE;SORT", "IDLE;SORT is no capability"),
        ("*", "* is no capability"),
        ("imap4rev1", "IMAP4rev1 cannot be hidden"),
    ],
)
def test_only_capabilities_are_hidden(hidden: str, wrong: str) -> None:
    quirk = ClientQuirk(name="x", hidden=hidden)
    if not wrong:
        quirk.full_clean()
        assert quirk.hidden == "IDLE THREAD=REFS"
        return
    with pytest.raises(ValidationError, match=wrong.replace("*", r"\*")):
        quirk.full_clean()


def test_it_is_edited_in_the_admin(client: "Client", alice: "User", db: None) -> None:
    alice.is_staff = alice.is_superuser = True
    alice.save()
    client.force_login(alice)
    answer = client.post(
        reverse("admin:protocols_clientquirk_add"),
        {"name": "BadMail", "hidden": "compress=deflate", "is_active": "on"},
    )
    assert answer.status_code == 302
    assert ClientQuirk.objects.get().hidden == "COMPRESS=DEFLATE"
