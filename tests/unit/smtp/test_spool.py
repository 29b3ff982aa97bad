"""However many messages arrive, memory stays within the setting."""

import asyncio
from typing import Any

import pytest

from protocols.smtp.spool import COPIES, MIB, Memory, Spool, memory


def test_small_ones_stay_in_memory() -> None:
    spool = Spool(1000)
    spool.add(b"abc")
    spool.add(b"def")
    assert spool.in_memory == b"abcdef"
    assert memory.arriving == 6
    spool.close()
    assert memory.arriving == 0


async def test_large_ones_go_to_a_file() -> None:
    spool = Spool(10 * MIB)
    for n in range(40):
        spool.add(bytes([n]) * 100_000)
    assert memory.arriving < 300_000
    assert spool.in_memory is None
    async with spool.whole() as octets:
        assert memory.delivered == 4_000_000 * COPIES
        assert octets == b"".join(bytes([n]) * 100_000 for n in range(40))
    assert (memory.delivered, memory.arriving) == (0, 0)


def test_when_memory_is_short_all_go_to_files(settings: Any) -> None:
    settings.MAILHOST_ARRIVING_MB = 16
    spools = [Spool(MIB) for _ in range(200)]
    for _ in range(20):
        for spool in spools:
            spool.add(b"x" * 10_000)
    assert memory.arriving <= 8 * MIB + 10_000
    for spool in spools:
        assert spool.size == 200_000
        spool.close()
    assert memory.arriving == 0


async def test_turns_are_taken_in_order(settings: Any) -> None:
    settings.MAILHOST_ARRIVING_MB = 16
    room, order, most = Memory(), [], 0

    async def one(name: int, octets: int) -> None:
        nonlocal most
        await room.take(octets)
        order.append(name)
        most = max(most, room.delivered)
        await asyncio.sleep(0)
        room.give_back(octets)

    sizes = [5 * MIB, 3 * MIB, 7 * MIB, 1 * MIB, 100 * MIB, 1 * MIB]
    await asyncio.gather(*(one(n, size) for n, size in enumerate(sizes)))
    # The one that is larger than all there is goes alone.
    assert order == [0, 1, 2, 3, 4, 5]
    assert most == 100 * MIB
    assert room.delivered == 0


async def test_who_gives_up_takes_no_room(settings: Any) -> None:
    settings.MAILHOST_ARRIVING_MB = 16
    room = Memory()
    await room.take(8 * MIB)
    waiting = [asyncio.create_task(room.take(MIB)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    room.give_back(8 * MIB)
    waiting[1].cancel()  # its turn has come, but it does not know yet
    await asyncio.gather(*waiting, return_exceptions=True)
    assert room.delivered == MIB


def test_too_much_is_forgotten() -> None:
    spool = Spool(10)
    spool.add(b"x" * 8)
    spool.add(b"x" * 8)
    assert spool.is_too_big
    assert [spool.is_hopeless, memory.arriving] == [False, 0]
    spool.add(b"x" * 30)
    assert [spool.is_hopeless, memory.arriving] == [True, 0]


@pytest.mark.parametrize("size", [10, 300_000])
def test_closing_twice_does_no_harm(size: int) -> None:
    spool = Spool(MIB)
    spool.add(b"x" * size)
    spool.close()
    spool.close()
    assert memory.arriving == 0
