"""A client that applies ADDTO and REMOVEFROM holds what a new search would find."""

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from protocols.imap.connection import Connection
from tests.conftest import PASSWORD
from tests.imap_client.reader import responses
from tests.transcripts.imap_transcript import Player, session
from tests.transcripts.imap_world import fill, write

if TYPE_CHECKING:
    from accounts.models import User

SEARCHES = {
    "s1": "UID SEARCH RETURN (UPDATE ALL) FLAGGED",
    "s2": "UID SEARCH RETURN (UPDATE ALL) UID 4:* OR SUBJECT a SEEN",
    "s3": "UID SORT RETURN (UPDATE ALL) (REVERSE SUBJECT) UTF-8 UNDELETED",
    "s4": "UID SORT RETURN (UPDATE ALL) (SIZE REVERSE ARRIVAL) UTF-8 UNSEEN",
}


def client(user: "User") -> Player:
    made = Player(Connection(session()), write)
    made.hear(f'x LOGIN {user} "{PASSWORD}"\r\ny SELECT INBOX\r\n'.encode())
    return made


def heard(player: Player, command: str, tag: str = "t") -> list[dict[str, Any]]:
    """Return the ESEARCH responses to a command; it must succeed."""
    del player.said[:]
    player.hear(f"{tag} {command}\r\n".encode())
    assert f"\r\n{tag} OK ".encode() in b"\r\n" + player.said, player.said
    told = [one.value for one in responses(bytes(player.said))]
    return [one for one in told if isinstance(one, dict) and "tag" in one]


def command_of(chance: random.Random) -> str:
    number = chance.randrange(1, 30)
    last = number + chance.randrange(5)
    flag = chance.choice(["\\Flagged", "\\Seen", "\\Deleted"])
    sign = chance.choice("+-")
    message = f"Subject: {chance.choice('abc')}{'x' * chance.randrange(9)}\r\n\r\n"
    return chance.choice([
        f"UID STORE {number}:{last} {sign}FLAGS.SILENT ({flag})",
        f"UID STORE {number} {sign}FLAGS ({flag})",
        f"APPEND INBOX {{{len(message)}+}}\r\n{message}",
        f"UID EXPUNGE {number}:{number + 3}",
    ])  # fmt: skip


def apply(held: dict[str, list[int]], told: Sequence[dict[str, Any]]) -> None:
    """Change a client's results as RFC 5267 §4.3.3 and §4.3.4 say."""
    for one in told:
        result, is_sorted = held[one["tag"]], "SORT" in SEARCHES[one["tag"]]
        for name in [name for name in one if name in {"ADDTO", "REMOVEFROM"}]:
            change = add if name == "ADDTO" else remove
            for position, uids in one[name]:
                assert bool(position) == is_sorted
                change(result, position - 1, uids)


def add(result: list[int], at: int, uids: list[int]) -> None:
    assert not set(result) & set(uids)
    assert at <= len(result)
    if at < 0:
        result[:] = sorted([*result, *uids])
    else:
        result[at:at] = uids


def remove(result: list[int], at: int, uids: list[int]) -> None:
    if at >= 0:
        assert result[at : at + len(uids)] == uids
    for uid in uids:
        result.remove(uid)


@pytest.mark.parametrize("seed", range(6))
def test_updates_lead_to_what_a_search_finds(alice: "User", seed: int) -> None:
    chance = random.Random(seed)
    fill(alice, "INBOX", ["1s", "2f", "3d", "4", "5sf", "6", "7d", "8f"])
    mine, other = client(alice), client(alice)
    held: dict[str, list[int]] = {}
    for tag, command in SEARCHES.items():
        (found,) = heard(mine, command, tag)
        held[tag] = list(found.get("ALL", []))
    for _ in range(40):
        for _ in range(chance.randrange(1, 4)):
            heard(other, command_of(chance))
            own = [command_of(chance), "NOOP", "FETCH 1 UID", "CHECK"]
            apply(held, heard(mine, chance.choice(own)))
        apply(held, heard(mine, "NOOP"))
        for tag, command in SEARCHES.items():
            (found,) = heard(mine, command.replace("UPDATE ", ""))
            assert found.get("ALL", []) == held[tag], (tag, command)
