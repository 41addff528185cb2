"""Stand-ins for the sender's ports, and a clock that only the test moves."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from common.clock import Clock
from common.errors import InfrastructureError
from common.invoice.move import Moved
from common.invoice.stage import Stage
from sender.domain import Accepted, Claim, Delivery, Settlement
from sender.domain import settle as end_of
from sender.domain.evidence import Absent, Evidence
from sender.ports import Key

LEASE = timedelta(seconds=90)
DEADLINE = timedelta(seconds=30)


@dataclass(slots=True)
class Time:
    seconds: float = 0.0

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.seconds)


def make_claim(
    *, lease_ends: float = 90.0, dossier: str = "0123456749", row: UUID | None = None, **changes: Any
) -> Claim:
    return Claim(
        id=row or uuid4(),
        version=2,
        attempt=1,
        reference=uuid4(),
        source_id="INV-1",
        dossier=dossier,
        direction="SALE",
        kind="invoice",
        journal=None,
        content=b"<Invoice/>",
        lease_ends=lease_ends,
        **changes,
    )


def settle(claim: Claim, delivery: Delivery, chance: random.Random | None = None) -> Settlement:
    """What a delivery makes of its row, with a chance that is the same at every run."""
    return end_of(claim, delivery, chance or random.Random(1))


def moved(row: UUID, stage: Stage = Stage.SENDING, version: int = 2) -> Moved:
    return Moved(row, version, stage, None, None, "INV-1", None, None, 0, None, None)


@dataclass(slots=True)
class FakeClaims:
    """Rows wait in `due`; every settlement is in `settled`. `before_claim` and `before_settle` may raise or wait."""

    due: list[Claim] = field(default_factory=list[Claim])
    settled: list[Settlement] = field(default_factory=list[Settlement])
    claims: int = 0
    asked: list[tuple[Sequence[str], int]] = field(default_factory=list[tuple[Sequence[str], int]])
    claim_gate: asyncio.Event | None = None
    claim_errors: list[Exception] = field(default_factory=list[Exception])
    settle_errors: list[Exception] = field(default_factory=list[Exception])
    standing_elsewhere: dict[UUID, int] = field(default_factory=dict[UUID, int])
    most: int = 1000
    dossiers: Sequence[str] = ("0123456749",)

    async def dossiers_due(self, since: timedelta = timedelta(0)) -> Sequence[str]:
        return self.dossiers if self.due else ()

    async def claim(self, dossiers: Sequence[str], limit: int, lease: timedelta) -> Sequence[tuple[Claim, Moved]]:
        self.asked.append((dossiers, limit))
        if self.claim_errors:
            raise self.claim_errors.pop(0)
        taken, self.due = self.due[: min(limit, self.most)], self.due[min(limit, self.most) :]
        if self.claim_gate:
            await self.claim_gate.wait()
        self.claims += 1
        return [(claim, moved(claim.id)) for claim in taken]

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Moved]:
        if self.settle_errors:
            raise self.settle_errors.pop(0)
        self.settled += settlements
        free: list[Moved] = []
        for settlement in settlements:
            left = self.standing_elsewhere.get(settlement.claim.id, 0)
            if left:
                self.standing_elsewhere[settlement.claim.id] = left - 1
            else:
                free.append(moved(settlement.claim.id, settlement.to, 3))
        return free

    async def give_up(self, keys: Sequence[Key], to: Stage, error: str) -> Sequence[Moved]:
        return [moved(row, to, version + 1) for row, version in keys]

    async def read(self, keys: Sequence[Key]) -> Sequence[Moved]:
        return [moved(row, Stage.SENT, version) for row, version in keys]


@dataclass(slots=True)
class FakeDestination:
    """Answers with `answer`; waits for `gate` first where there is one."""

    answer: Callable[[Claim], Delivery] = field(default=lambda _: Accepted("u-1", {"uuid": "u-1"}))
    gate: asyncio.Event | None = None
    lookup: bool = True
    idempotency_key: timedelta | None = timedelta(hours=24)
    knows: dict[UUID, Evidence] = field(default_factory=dict[UUID, Evidence])
    asked: list[UUID] = field(default_factory=list[UUID])
    got: list[Claim] = field(default_factory=list[Claim])
    most_at_once: int = 0
    _now: int = 0

    async def deliver(self, claim: Claim) -> Delivery:
        self.got.append(claim)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            if self.gate:
                await self.gate.wait()
            return self.answer(claim)
        finally:
            self._now -= 1

    async def find(self, reference: UUID) -> Evidence:
        self.asked.append(reference)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            if self.gate:
                await self.gate.wait()
            return self.knows.get(reference, Absent())
        finally:
            self._now -= 1


@dataclass(slots=True)
class FakeAnnounce:
    told: list[Moved] = field(default_factory=list[Moved])
    fails: int = 0

    async def __call__(self, rows: Sequence[Moved]) -> None:
        if self.fails:
            self.fails -= 1
            raise InfrastructureError("kafka")
        self.told += rows
