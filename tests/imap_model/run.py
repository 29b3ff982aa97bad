"""A run, and what is told of one that fails: the shortest that fails too."""

import time
from collections.abc import Callable, Sequence

from tests.imap_model.world import Step, World, steps

SHOWN = 400  # lines of a transcript
SHRINK_SECONDS = 100

Make = Callable[[int], World]  # a fresh account, for a seed


class Failed(AssertionError):
    """A run broke a rule."""


def play(make: Make, seed: int, todo: Sequence[Step]) -> tuple[str, World]:
    """Return what went wrong, or "", and the world as it was left."""
    world = make(seed)
    try:
        for step in todo:
            world.take(step)
    except AssertionError as wrong:
        return str(wrong) or repr(wrong), world
    finally:
        world.close()
    return "", world


def run(make: Make, seed: int, count: int) -> World:
    """Take `count` steps; raises Failed with the shortest run that was found."""
    todo = steps(seed, count)
    wrong, world = play(make, seed, todo)
    if wrong:
        raise Failed(shrunken(make, seed, todo, (wrong, world)))
    return world


def shrunken(
    make: Make, seed: int, todo: Sequence[Step], failed: tuple[str, World]
) -> str:
    """Leave steps out as long as it fails; return the story of the shortest run."""
    until = time.monotonic() + SHRINK_SECONDS
    size = len(todo) // 2
    while size and time.monotonic() < until:
        at = 0
        while at < len(todo) and time.monotonic() < until:
            fewer = [*todo[:at], *todo[at + size :]]
            wrong, world = play(make, seed, fewer)
            if wrong:
                todo, failed = fewer, (wrong, world)
            else:
                at += size
        size //= 2
    wrong, world = failed
    story = "\n".join(world.transcript[-SHOWN:])
    return f"seed {seed}, {len(todo)} steps:\n{story}\n{wrong}"


def soak(make: Make, seed: int, minutes: float, count: int = 400) -> tuple[int, int]:
    """Run seed after seed; return how many, and how many commands it were."""
    until = time.monotonic() + minutes * 60
    runs = commands = 0
    while time.monotonic() < until:
        commands += run(make, seed + runs, count).commands
        runs += 1
    return runs, commands
