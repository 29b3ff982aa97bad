"""Threads for what takes the CPU: signatures, records. None of them waits for DNS."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

THREADS = 4


@cache
def _threads(name: str, count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, f"mailhost-{name}")


async def run(fn: Callable[[*Ts], T], *args: *Ts) -> T:
    """Run `fn(*args)` in one of the threads."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads("auth", THREADS), fn, *args)


async def run_apart(fn: Callable[[*Ts], T], *args: *Ts) -> T:
    """Run what may take seconds in a thread of its own: it holds up only its like."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads("apart", 1), fn, *args)
