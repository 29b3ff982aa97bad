"""FILTER: stored searches, with more than one session can set. RFC 5466 §3.1."""

from typing import TYPE_CHECKING

import pytest

from mailhost.store.annotations import annotate
from protocols.imap.connection import Connection
from tests.conftest import PASSWORD
from tests.transcripts.imap_transcript import Player, session
from tests.transcripts.imap_world import fill, write

if TYPE_CHECKING:
    from accounts.models import User


@pytest.fixture
def player(alice: "User") -> Player:
    fill(alice, "INBOX", ["1s", "2f", "3s", "4"])
    made = Player(Connection(session()), write)
    made.hear(f'x LOGIN alice@example.test "{PASSWORD}"\r\ny SELECT INBOX\r\n'.encode())
    made.unread.clear()
    return made


def store(user: "User", name: str, value: bytes, *, shared: bool = False) -> None:
    entry = f"/filters/values/{name}"
    owner = None if shared else user.pk
    account = user.account.pk
    write([account], annotate, account, None, owner, [(entry, value)])


def asked(player: Player, command: str) -> list[str]:
    player.unread.clear()
    player.hear(f"a {command}\r\n".encode())
    return list(player.unread)


def found(player: Player, keys: str) -> str:
    return asked(player, f"SEARCH {keys}")[0].removeprefix("* SEARCH").strip()


def test_a_filter_stands_for_its_search(alice: "User", player: Player) -> None:
    store(alice, "Mine", b'OR SEEN SUBJECT "message 2"')
    assert found(player, "FILTER mine") == "1 2 3"
    assert found(player, "2:9 FILTER MINE UNFLAGGED") == "3"
    assert found(player, "NOT FILTER mine") == "4"
    assert (
        asked(player, "SORT (REVERSE ARRIVAL) UTF-8 FILTER mine")[0] == "* SORT 3 2 1"
    )


def test_several_keys_are_one(alice: "User", player: Player) -> None:
    store(alice, "two", b"SEEN 1:2")
    assert found(player, "FILTER two") == "1"
    assert found(player, "NOT FILTER two") == "2 3 4"
    assert found(player, "OR FILTER two FLAGGED") == "1 2"


def test_a_private_one_goes_before_a_shared_one(alice: "User", player: Player) -> None:
    store(alice, "one", b"FLAGGED", shared=True)
    assert found(player, "FILTER one") == "2"
    store(alice, "one", b"SEEN")
    assert found(player, "FILTER one") == "1 3"


def test_those_of_others_are_not_there(
    alice: "User", stranger: "User", player: Player
) -> None:
    store(stranger, "theirs", b"ALL")
    store(stranger, "everybodys", b"ALL", shared=True)
    for name in ("theirs", "everybodys", "none"):
        assert asked(player, f"SEARCH FILTER {name}") == [
            f"a NO [UNDEFINED-FILTER {name}] There is no such filter"
        ]


BROKEN = [
    b"",
    b"OR SMALLER 5000",
    b"FROB",
    b"SEEN ",
    b"SEEN)",
    b"(SEEN",
    b"SUBJECT {3}\r\nabc",
    b"SUBJECT \xff",
    b"SEEN\r\n",
]


@pytest.mark.parametrize("value", BROKEN)
def test_what_is_no_search_is_no_filter(
    alice: "User", player: Player, value: bytes
) -> None:
    store(alice, "broken", value)
    assert "NO [UNDEFINED-FILTER broken]" in asked(player, "SEARCH FILTER broken")[0]


def test_filters_in_filters(alice: "User", player: Player) -> None:
    store(alice, "f0", b"SEEN")
    for n in range(1, 8):
        store(alice, f"f{n}", f"FILTER f{n - 1}".encode())
    assert found(player, "FILTER f4") == "1 3"
    assert "UNDEFINED-FILTER f" in asked(player, "SEARCH FILTER f7")[0]
    store(alice, "f0", b"OR FILTER f0 SEEN")
    assert "UNDEFINED-FILTER f0" in asked(player, "SEARCH FILTER f0")[0]


def test_they_do_not_multiply_without_end(alice: "User", player: Player) -> None:
    store(alice, "a0", b" ".join([b"SEEN"] * 30))
    for n in (1, 2, 3):
        store(alice, f"a{n}", b" ".join([f"FILTER a{n - 1}".encode()] * 30))
    refused = asked(player, "SEARCH FILTER a3")[0]
    assert refused == "a BAD [LIMIT] The search is too complex"


def test_a_filter_is_utf8(alice: "User", player: Player) -> None:
    store(alice, "u", 'SUBJECT "ü"'.encode())
    assert found(player, "CHARSET US-ASCII FILTER u") == ""
    assert asked(player, "SEARCH CHARSET KOI8-R FILTER u") == [
        "a BAD [BADCHARSET (US-ASCII UTF-8)] A filter is UTF-8"
    ]


def test_a_context_keeps_the_filter_as_it_was(alice: "User", player: Player) -> None:
    store(alice, "kept", b"FLAGGED")
    asked(player, "UID SEARCH RETURN (UPDATE COUNT) FILTER kept")
    store(alice, "kept", b"SEEN")
    told = asked(player, "UID STORE 4 +FLAGS.SILENT (\\Flagged)")
    assert told == [
        '* ESEARCH (TAG "a") UID ADDTO (0 4)',
        "a OK UID STORE completed",
    ]
