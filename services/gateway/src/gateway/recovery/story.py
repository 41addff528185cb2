"""The story of a recovery: compare, read all that was told, give it back in small transactions, compare again."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import structlog

from common.contracts.events import InvoiceOutcome
from gateway.domain.access import Caller, User
from gateway.domain.faults import NotAllowedNow
from gateway.recovery.hearing import Told, hear
from gateway.recovery.remedies import Remedy

log = structlog.get_logger()

AT_ONCE = 500

Heard: TypeAlias = tuple[InvoiceOutcome, datetime]
"""A record and when it was written."""


@dataclass(frozen=True, slots=True)
class Compared:
    """`last`: the database's newest attempt; `highest`: that Kafka knows; `forgotten`: known claims not there."""

    last: int
    highest: int
    forgotten: int

    @property
    def everything(self) -> bool:
        return self.last >= self.highest and self.forgotten == 0


@dataclass(frozen=True, slots=True)
class RecoveryOrder:
    """`force` runs although nothing seems forgotten; a dry run changes nothing and needs no reason."""

    dry_run: bool = False
    force: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What was done, or in a dry run would be; `remembers`: whether anything is claimed and listed afterwards."""

    dry_run: bool
    remembers: bool
    records: int
    invoices: int
    inserted_sent: int
    inserted_unknown: int
    inserted_abandoned: int
    moved_to_sent: int
    moved_to_unknown: int
    attempts: int
    keys_taken_over: int
    last_attempt: int


@dataclass(slots=True)
class Treated:
    """What was done for some rows."""

    remedies: Counter[Remedy] = field(default_factory=Counter[Remedy])
    attempts: int = 0
    keys: int = 0

    def add(self, other: "Treated") -> None:
        self.remedies.update(other.remedies)
        self.attempts += other.attempts
        self.keys += other.keys


class OutcomeLog(Protocol):
    def partitions(self) -> AsyncGenerator[AsyncIterable[Heard], None]:
        """Every record that is there now, partition by partition; one row's records are in one. InfrastructureError."""
        ...


class Restoring(Protocol):
    """The database that has forgotten."""

    async def compare(self) -> Compared: ...

    async def treat(self, told: Sequence[Told], *, actor: str) -> Treated:
        """Give these rows back, in one transaction; doing it again does nothing."""
        ...

    async def diagnose(self, told: Sequence[Told]) -> Treated:
        """What `treat` would do."""
        ...

    async def count_on(self, number: int) -> None:
        """The next attempt's number is greater than `number`."""
        ...

    async def note(self, action: str, user: User, caller: Caller, details: Mapping[str, Any]) -> None:
        """Write to the audit log."""
        ...


class Recover:
    """One at a time in this process; two gateways at once do each row once."""

    def __init__(self, outcomes: OutcomeLog, database: Restoring) -> None:
        self._outcomes = outcomes
        self._database = database
        self._running = asyncio.Lock()

    async def __call__(self, order: RecoveryOrder, user: User, caller: Caller) -> RecoveryReport:
        """Raises NotAllowedNow when nothing was forgotten, or when it runs already; InfrastructureError."""
        if self._running.locked():
            raise NotAllowedNow("A recovery is running already")
        async with self._running:
            found = await self._database.compare()
            if order.dry_run:
                return await self._run(order, found, user)
            if found.everything and not order.force:
                raise NotAllowedNow(
                    "The database remembers every sending that Kafka knows of; use force to go through it all the same",
                    asdict(found),
                )
            start = {"reason": order.reason, "force": order.force, "found": asdict(found)}
            await self._database.note("recovery.started", user, caller, start)
            report = await self._run(order, found, user)
            await self._database.note("recovery.ended", user, caller, asdict(report))
            log.warning("recovered", **asdict(report))
            return report

    async def _run(self, order: RecoveryOrder, found: Compared, user: User) -> RecoveryReport:
        whole, records, invoices, highest = Treated(), 0, 0, found.highest
        async for partition in self._outcomes.partitions():
            heard: dict[UUID, Told] = {}
            async for event, at in partition:
                hear(heard, event, at)
                records += 1
                highest = max(highest, event.attempt or 0)
            invoices += len(heard)
            whole.add(await self._treat([told for told in heard.values() if told.attempts or told.sent], order, user))
        if not order.dry_run:
            await self._database.count_on(highest)
        after = await self._database.compare()
        return _report(whole, order, after, records=records, invoices=invoices)

    async def _treat(self, told: list[Told], order: RecoveryOrder, user: User) -> Treated:
        whole = Treated()
        told.sort(key=lambda row: row.latest.id)
        for begin in range(0, len(told), AT_ONCE):
            some = told[begin : begin + AT_ONCE]
            if order.dry_run:
                whole.add(await self._database.diagnose(some))
            else:
                whole.add(await self._database.treat(some, actor=f"user:{user.id}"))
        return whole


def _report(whole: Treated, order: RecoveryOrder, after: Compared, *, records: int, invoices: int) -> RecoveryReport:
    return RecoveryReport(
        dry_run=order.dry_run,
        remembers=after.everything,
        records=records,
        invoices=invoices,
        inserted_sent=whole.remedies[Remedy.INSERT_SENT],
        inserted_unknown=whole.remedies[Remedy.INSERT_UNKNOWN],
        inserted_abandoned=whole.remedies[Remedy.INSERT_ABANDONED],
        moved_to_sent=whole.remedies[Remedy.MOVE_TO_SENT],
        moved_to_unknown=whole.remedies[Remedy.MOVE_TO_UNKNOWN],
        attempts=whole.attempts,
        keys_taken_over=whole.keys,
        last_attempt=after.last,
    )
