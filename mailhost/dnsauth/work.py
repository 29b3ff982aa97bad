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
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, "mailhost-auth")


async def run(fn: Callable[[*Ts], T], *args: *Ts) -> T:
    """Run `fn(*args)` in one of the threads."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), fn, *args)
