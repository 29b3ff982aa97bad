"""Where addresses lead, aliases followed."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save

from accounts import addresses
from accounts.models import Account, Address, Domain
from mailhost.outbound import relays, srs
from mailhost.outbound.models import RelayDomain
from mailhost.store import blocking, quota
from mailhost.store.gate import gate

MOST_ALIASES = 100  # addresses that one address may lead to, all steps together
REMEMBER_SECONDS = 1.0  # other processes may have changed an address meanwhile
REMEMBER_MOST = 10_000  # addresses


@dataclass(frozen=True, slots=True)
class Route:
    """Where an address leads."""

    recipient: str  # as the sender wrote it
    is_local: bool  # whether its domain is ours
    accounts: tuple[int, ...] = ()
    outside: tuple[str, ...] = ()  # where aliases forward to
    canonical: str = ""
    # Octets that the emptiest of its accounts can still take, and could if it were
    # empty; None: no limit. As it was when it was looked up.
    room: int | None = None
    most: int | None = None
    # relayed: a domain of others that we take mail for; returned: a sender that we
    # rewrote; reports: what other servers tell of our mail is read there
    kind: str = ""
    blocks: bool = False  # whether an account behind it blocks anybody

    @property
    def is_known(self) -> bool:
        """Whether mail for it can be taken here."""
        return bool(self.accounts or self.outside or self.kind == "reports")


def route(recipient: str) -> Route:
    """Follow an address through its aliases; synchronous, reads only."""
    found = addresses.resolve(recipient)
    if not found.known:
        return _special(recipient)
    if not found.forward_to:
        return Route(recipient, True, found.account_ids, (), found.canonical)
    accounts, outside = dict.fromkeys(found.account_ids), dict[str, None]()
    seen, todo = {found.canonical}, list(found.forward_to)
    while todo and len(seen) < MOST_ALIASES:
        address = todo.pop(0)
        next_ = addresses.resolve(address)
        if next_.known and next_.canonical not in seen:
            accounts |= dict.fromkeys(next_.account_ids)
            todo += next_.forward_to
        elif not next_.known and "@" in address:
            domain = address.rpartition("@")[2]
            if not addresses.is_local_domain(domain):
                outside[address] = None
        seen.add(next_.canonical or address)
    return Route(recipient, True, tuple(accounts), tuple(outside), found.canonical)


def _special(recipient: str) -> Route:
    """Return the route of what is nobody's address here."""
    local, _, domain = recipient.rpartition("@")
    if not domain:
        return Route(recipient, True)
    if (sender := srs.original(recipient)) is not None:
        return Route(recipient, True, (), (sender,), recipient, kind="returned")
    if addresses.is_local_domain(domain):
        is_reports = local.lower() == settings.MAILHOST_REPORT_LOCAL_PART
        return Route(recipient, True, kind="reports" if is_reports else "")
    if (relayed := relays.takes(recipient)) is None:
        return Route(recipient, False)
    outside = (recipient,) if relayed else ()
    return Route(recipient, True, (), outside, recipient, kind="relayed")


def routes(recipients: Iterable[str]) -> dict[str, Route]:
    """Follow several addresses."""
    found = {recipient: route(recipient) for recipient in recipients}
    accounts = {account for way in found.values() for account in way.accounts}
    room, block = quota.rooms(accounts), blocking.who_block(accounts)
    for name, way in found.items():
        if not block.isdisjoint(way.accounts):
            found[name] = replace(way, blocks=True)
    return {name: _with_room(way, room) for name, way in found.items()}


def _with_room(way: Route, rooms: Mapping[int, tuple[int, int]]) -> Route:
    """Note what the accounts behind an address can take."""
    if not way.accounts or not all(account in rooms for account in way.accounts):
        return way
    mine = [rooms[account] for account in way.accounts]
    return replace(way, room=max(r for r, _ in mine), most=max(m for _, m in mine))


class _LookUp:
    """Answers all who ask at the same time with one read, and remembers briefly.

    An address that is found is remembered for REMEMBER_SECONDS at most, and until one
    is changed in this process; one that is not found is looked up each time.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[str, asyncio.Future[Route]] = {}
        self._task: asyncio.Task[None] | None = None
        self._known: dict[str, Route] = {}
        self._known_until = 0.0
        self.generation = 0

    async def __call__(self, recipient: str) -> Route:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._waiting, self._task = loop, {}, None
        found = self._remembered().get(recipient)
        if found is not None:
            return found
        future = self._waiting.get(recipient)
        if future is None:
            future = self._waiting[recipient] = loop.create_future()
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._answer())
        return await asyncio.shield(future)

    def forget(self, **_: Any) -> None:
        """Receive the signals of a changed row: ask again, once it is committed."""
        transaction.on_commit(self._forget, robust=True)

    def _forget(self) -> None:
        self.generation += 1
        self._known = {}

    def _remembered(self) -> dict[str, Route]:
        now = time.monotonic()
        if now >= self._known_until or len(self._known) > REMEMBER_MOST:
            self._known, self._known_until = {}, now + REMEMBER_SECONDS
        return self._known

    async def _answer(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            generation = self.generation
            try:
                found = await gate.read(routes, tuple(asked))
            except Exception as error:  # noqa: BLE001 - told to all who asked
                for future in asked.values():
                    future.set_exception(error)
                    future.exception()  # whoever asked may be gone
                continue
            if generation == self.generation:
                known = self._remembered()
                known.update((k, way) for k, way in found.items() if way.is_known)
            for recipient, future in asked.items():
                future.set_result(found[recipient])


look_up = _LookUp()

for _model in (Address, Address.accounts.through, Domain, Account, RelayDomain):
    for _signal in (post_save, post_delete, m2m_changed):
        _signal.connect(look_up.forget, sender=_model)
blocking.changed.connect(look_up.forget)
