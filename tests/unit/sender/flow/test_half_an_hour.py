"""Two replicas and a destination that is down for thirty minutes, on a loop that skips the waiting.

All but the edges is real: pumps, gates, keepers, settlers. What the database and the destination do is played.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from common.clock import Clock
from common.invoice.move import Moved
from common.invoice.stage import Stage
from sender.domain import Accepted, Claim, Delivery, NotAccepted, Outcome, OutcomeUnknown, Settlement
from sender.domain.evidence import Evidence
from sender.domain.flow import Aimd
from sender.domain.flow.window import IN_A_ROW
from sender.gate import Gate
from sender.gatekeeper import Gatekeeper
from sender.pump import Pump
from sender.settling import Settler
from tests.unit.sender.fakes import make_claim, moved
from tests.unit.sender.flow.fakes import FakeShared, SkippingLoop

AT_ONCE, LATER = 4000, 2000
"""Rows that are due when it begins, and rows that become due one after the other until it is over."""
ROWS = AT_ONCE + LATER
FALLS, RISES = 2.0, 2.0 + 1800.0
START, CEILING, REPLICAS = 4, 32, 2
LATENCY = 0.05
SEED = 20261124


@dataclass(slots=True)
class Rows:
    """The rows of both replicas: due at a time, claimed, settled."""

    now: Callable[[], float]
    due: dict[UUID, float] = field(default_factory=dict[UUID, float])
    outcomes: dict[UUID, list[Settlement]] = field(default_factory=dict[UUID, list[Settlement]])

    async def dossiers_due(self, since: timedelta = timedelta(0)) -> Sequence[str]:
        return ("0123456749",) if any(at <= self.now() for at in self.due.values()) else ()

    async def claim(self, dossiers: Sequence[str], limit: int, lease: timedelta) -> Sequence[tuple[Claim, Moved]]:
        rows = [row for row, at in self.due.items() if at <= self.now()][:limit]
        for row in rows:
            del self.due[row]
        ends = self.now() + lease.total_seconds()
        return [(make_claim(lease_ends=ends, row=row), moved(row)) for row in rows]

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Moved]:
        for settlement in settlements:
            self.outcomes.setdefault(settlement.claim.id, []).append(settlement)
            if settlement.to is Stage.VALIDATED:
                self.due[settlement.claim.id] = self.now() + (settlement.wake or timedelta(0)).total_seconds()
        return [moved(settlement.claim.id, settlement.to, 3) for settlement in settlements]

    async def give_up(self, keys: Sequence[tuple[UUID, int]], to: Stage, error: str) -> Sequence[Moved]:
        raise AssertionError("nobody sweeps here")

    async def read(self, keys: Sequence[tuple[UUID, int]]) -> Sequence[Moved]:
        raise AssertionError("nobody sweeps here")


@dataclass(slots=True)
class Clearfacts:
    """Well, but for half an hour in which every call ends in `fault`, after `fault_takes` seconds."""

    now: Callable[[], float]
    fault: Delivery
    fault_takes: float
    calls: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    """(when, how many were under way then, this one included)"""
    probes: list[float] = field(default_factory=list[float])
    accepted: Counter[UUID] = field(default_factory=Counter[UUID])
    lookup: bool = True
    idempotency_key: timedelta | None = None
    _now: int = 0

    @property
    def down(self) -> bool:
        return FALLS <= self.now() < RISES

    async def deliver(self, claim: Claim) -> Delivery:
        self._now += 1
        self.calls.append((self.now(), self._now))
        try:
            if self.down:
                await asyncio.sleep(self.fault_takes)
                return self.fault
            await asyncio.sleep(LATENCY)
            self.accepted[claim.id] += 1
            return Accepted("u", {})
        finally:
            self._now -= 1

    async def probe(self) -> str | None:
        self.probes.append(self.now())
        if self.down:
            await asyncio.sleep(min(self.fault_takes, 5.0))
            return "down"
        return None

    async def find(self, reference: UUID) -> Evidence:
        raise AssertionError("nobody looks anything up here")


class Night:
    def __init__(self, fault: Delivery, fault_takes: float) -> None:
        now = asyncio.get_running_loop().time
        at_once = {make_claim().id: 0.0 for _ in range(AT_ONCE)}
        later = {make_claim().id: RISES * n / LATER for n in range(LATER)}
        self.rows = Rows(now, due=at_once | later)
        self.clearfacts = Clearfacts(now, fault, fault_takes)
        self.shared = FakeShared(now)
        self.clock = Clock(monotonic=now, chance=random.Random(SEED))

    async def run(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
                for _ in range(REPLICAS):
                    for loop in self._replica():
                        tasks.create_task(loop())

    def _replica(self) -> Sequence[Callable[[], Coroutine[None, None, None]]]:
        gate = Gate(Aimd(start=START, ceiling=CEILING), ceiling=CEILING, prefetch=CEILING, clock=self.clock)
        settler = Settler(self.rows, _announce)
        pump = Pump(
            self.rows, self.clearfacts, settler, gate, announce=_announce, deadline=timedelta(seconds=30),
            lease=timedelta(seconds=90), clock=self.clock,
        )  # fmt: skip
        keeper = Gatekeeper(gate, self.shared, self.clearfacts, _nothing_paused, clock=self.clock)
        return (pump.run, settler.run, keeper.run)

    def ends(self) -> Counter[Stage]:
        return Counter(settlements[-1].to for settlements in self.rows.outcomes.values())

    def calls_between(self, start: float, end: float) -> list[tuple[float, int]]:
        return [call for call in self.clearfacts.calls if start <= call[0] < end]


async def _announce(rows: Sequence[Moved]) -> None:
    pass


async def _nothing_paused() -> frozenset[str]:
    return frozenset()


FAULTS = {
    "refuses connections": (NotAccepted("could not connect", everyone=True), 0.001),
    "answers 503 with Retry-After": (NotAccepted("503", timedelta(seconds=2), everyone=True), LATENCY),
    "answers 500": (OutcomeUnknown("answered 500", everyone=True), LATENCY),
    "is silent": (OutcomeUnknown("no answer within 30 s", everyone=True), 30.0),
    "does not take the token": (NotAccepted("answered 401", everyone=True), LATENCY),
}


def played(name: str) -> Night:
    async def play() -> Night:
        night = Night(*FAULTS[name])
        await night.run(RISES + 120.0)
        return night

    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(play())


@pytest.fixture(scope="module", params=FAULTS)
def night(request: pytest.FixtureRequest) -> Night:
    return played(request.param)


def test_no_row_fails_and_none_is_sent_twice(night: Night) -> None:
    assert Stage.FAILED not in night.ends()
    assert set(night.clearfacts.accepted.values()) == {1}
    assert night.ends()[Stage.SENT] + night.ends()[Stage.UNKNOWN] == ROWS


def test_no_row_has_a_failure_of_its_own(night: Night) -> None:
    settlements = [settlement for row in night.rows.outcomes.values() for settlement in row]
    assert not any(settlement.own_failure for settlement in settlements)
    assert {s.outcome for s in settlements} >= {Outcome.ACCEPTED}


def test_no_more_are_risked_than_were_under_way_and_the_few_before_the_fifth_failure(night: Night) -> None:
    risked = REPLICAS * (CEILING + IN_A_ROW - 1)
    assert len(night.calls_between(FALLS, RISES)) <= risked
    assert night.ends()[Stage.UNKNOWN] <= risked


def test_nothing_leaves_while_the_breaker_is_open(night: Night) -> None:
    opened = next(at for at, change in night.shared.changes if change.open)
    closed = next(at for at, change in night.shared.changes if not change.open)
    assert closed >= RISES
    heard = 1.0 + LATENCY  # by the other replica
    assert night.calls_between(opened + heard, closed) == []


def test_it_is_probed_at_most_once_a_second_and_at_least_every_half_minute(night: Night) -> None:
    probes = [at for at in night.clearfacts.probes if at >= FALLS]
    gaps = [later - earlier for earlier, later in pairwise(probes)]
    assert len(probes) > 30
    assert min(gaps) >= 1.0
    assert max(gaps) <= 45.0  # a probe in whose place nothing was heard takes up to its deadline


def test_it_is_drained_without_a_herd(night: Night) -> None:
    """Four calls of each replica at first, then one more a round: never a leap."""
    back = next(at for at, change in night.shared.changes if not change.open)
    assert max(under_way for _, under_way in night.calls_between(back, back + LATENCY)) <= REPLICAS * START
    rounds = [night.calls_between(back + n * LATENCY, back + (n + 1) * LATENCY) for n in range(60)]
    busiest = [max((under_way for _, under_way in calls), default=0) for calls in rounds]
    assert all(later <= earlier + 2 * REPLICAS for earlier, later in pairwise(busiest) if earlier)
    assert max(busiest) > 3 * REPLICAS * START, "it does ramp up"


def test_it_is_back_within_half_a_minute_and_a_bit(night: Night) -> None:
    assert min(at for at, _ in night.calls_between(RISES, RISES + 120.0)) <= RISES + 40.0
    assert not night.rows.due


def test_the_breaker_opens_once_and_closes_once(night: Night) -> None:
    standings = [change.open for _, change in night.shared.changes]
    assert standings.count(False) == 1
