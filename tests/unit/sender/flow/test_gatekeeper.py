"""The gatekeepers of two replicas over what they share, with a clock that only the test moves."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from common.errors import InfrastructureError
from sender.domain import NotAccepted
from sender.domain.flow import Aimd, Bucket, Standing
from sender.domain.flow.breaker import PROBE_LEASE
from sender.gate import Gate
from sender.gatekeeper import LEASE_EVERY, LOOK_EVERY, Gatekeeper
from tests.support.readings import reading
from tests.unit.sender.fakes import Time
from tests.unit.sender.flow.fakes import FakeShared

DOWN = NotAccepted("could not connect", everyone=True)


@dataclass(slots=True)
class FakeProbed:
    why: str | None = "could not connect"
    probes: int = 0
    gate: asyncio.Event | None = None

    async def probe(self) -> str | None:
        self.probes += 1
        if self.gate:
            await self.gate.wait()
        return self.why


@dataclass(slots=True)
class FakeSwitches:
    scopes: frozenset[str] = frozenset()

    async def __call__(self) -> frozenset[str]:
        return self.scopes


@dataclass(slots=True)
class Replica:
    gate: Gate
    keeper: Gatekeeper

    def fails(self, answer: NotAccepted = DOWN, times: int = 5) -> None:
        for _ in range(times):
            self.gate.came_back(answer, self.gate.leave())


@dataclass(slots=True)
class World:
    rate: float | None = None
    time: Time = field(default_factory=Time)
    destination: FakeProbed = field(default_factory=FakeProbed)
    switches: FakeSwitches = field(default_factory=FakeSwitches)
    shared: FakeShared = field(init=False)

    def __post_init__(self) -> None:
        self.shared = FakeShared(lambda: self.time.seconds)

    def replica(self) -> Replica:
        bucket = Bucket(self.rate) if self.rate else None
        gate = Gate(Aimd(start=4, ceiling=8), ceiling=8, prefetch=8, bucket=bucket, clock=self.time.clock())
        gate.learn(Standing(version=1), frozenset())
        return Replica(
            gate,
            Gatekeeper(gate, self.shared, self.destination, self.switches, rate=self.rate, clock=self.time.clock()),
        )

    async def both(self, *replicas: Replica) -> None:
        await asyncio.gather(*(replica.keeper.look() for replica in replicas))


async def test_what_one_replica_trips_the_other_heeds_at_its_next_look() -> None:
    world = World()
    first, second = world.replica(), world.replica()
    await world.both(first, second)
    first.fails()
    await first.keeper.look()
    assert world.shared.open
    assert not second.gate.closed
    assert await second.keeper.look() <= LOOK_EVERY
    assert second.gate.closed


async def test_two_that_trip_at_once_open_it_once() -> None:
    world = World()
    first, second = world.replica(), world.replica()
    await world.both(first, second)
    first.fails()
    second.fails()
    await world.both(first, second)
    await world.both(first, second)
    assert len(world.shared.changes) == 1
    assert first.gate.tripped is second.gate.tripped is None


async def test_one_probe_for_all_when_it_is_due_and_none_before() -> None:
    world = World()
    replicas = [world.replica() for _ in range(5)]
    replicas[0].fails()
    await world.both(*replicas)
    world.time.seconds = 0.99
    await world.both(*replicas)
    assert world.destination.probes == 0
    before = reading("destination_probes_total", outcome="unwell")
    world.time.seconds = 1.0
    await world.both(*replicas)
    assert world.destination.probes == 1
    assert reading("destination_probes_total", outcome="unwell") == before + 1
    await world.both(*replicas)
    assert world.destination.probes == 1
    world.time.seconds = 3.0
    await world.both(*replicas)
    assert world.destination.probes == 2


async def test_a_good_probe_opens_the_gates_of_all() -> None:
    world = World()
    first, second = world.replica(), world.replica()
    first.fails()
    await world.both(first, second)
    world.time.seconds, world.destination.why = 1.0, None
    await first.keeper.look()
    assert not first.gate.closed
    await second.keeper.look()
    assert not second.gate.closed


async def test_the_probe_of_a_replica_that_died_is_taken_over_after_its_lease() -> None:
    world = World()
    first, second = world.replica(), world.replica()
    first.fails()
    await world.both(first, second)
    world.time.seconds, world.destination.gate = 1.0, asyncio.Event()
    dying = asyncio.ensure_future(first.keeper.look())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert world.destination.probes == 1
    dying.cancel()
    world.destination.gate = None
    await second.keeper.look()
    assert world.destination.probes == 1
    world.time.seconds += PROBE_LEASE.total_seconds()
    await second.keeper.look()
    assert world.destination.probes == 2


async def test_a_retry_after_keeps_the_probes_away_too() -> None:
    world = World()
    replica = world.replica()
    replica.fails(NotAccepted("503", timedelta(seconds=20), everyone=True))
    await replica.keeper.look()
    assert world.shared.open
    for seconds in (1.0, 19.9):
        world.time.seconds = seconds
        await replica.keeper.look()
    assert world.destination.probes == 0
    world.time.seconds = 20.0
    await replica.keeper.look()
    assert world.destination.probes == 1


async def test_the_floor_of_one_is_told_to_all() -> None:
    world = World()
    first, second = world.replica(), world.replica()
    first.fails(NotAccepted("429", timedelta(seconds=20), everyone=True, throttled=True), times=1)
    assert first.gate.needs_keeper.is_set(), "it is told at once, not at the next look"
    await first.keeper.look()
    await second.keeper.look()
    assert second.gate.closed
    world.time.seconds = 20.0
    assert not second.gate.closed


async def test_pauses_are_heeded_by_all() -> None:
    world = World()
    first, second = world.replica(), world.replica()
    world.switches.scopes = frozenset({"*"})
    await world.both(first, second)
    assert first.gate.closed
    assert second.gate.closed
    world.switches.scopes = frozenset()
    await world.both(first, second)
    assert not first.gate.closed


@pytest.mark.parametrize("replicas", [1, 3])
async def test_all_together_keep_to_the_rate_and_lease_in_chunks(replicas: int) -> None:
    world = World(rate=10.0)
    gates = [world.replica() for _ in range(replicas)]
    passed = 0

    async def call(replica: Replica) -> None:
        nonlocal passed
        while world.time.seconds < 20.0:
            await replica.gate.token()
            passed += 1

    async with asyncio.TaskGroup() as tasks:
        calls = [tasks.create_task(call(replica)) for replica in gates for _ in range(4)]
        while world.time.seconds < 20.0:
            await world.both(*gates)
            for _ in range(30):
                await asyncio.sleep(0)
            world.time.seconds += 0.1
        for task in calls:
            task.cancel()
    assert 180 <= passed <= 210
    assert world.shared.leases <= replicas * (20.0 / LEASE_EVERY + 1)


async def test_a_lease_is_for_many_calls() -> None:
    world = World(rate=100.0)
    world.time.seconds = 60.0
    replica = world.replica()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(replica.gate.token())
        await asyncio.sleep(0)
        await replica.keeper.look()
    for _ in range(92):
        await replica.gate.token()
    assert world.shared.leases == 1


async def test_without_a_database_the_gate_stands_as_it_stood() -> None:
    world = World()
    replica = world.replica()
    replica.fails()
    world.shared.errors = [InfrastructureError("away")]
    keeping = asyncio.ensure_future(replica.keeper.run())
    await asyncio.sleep(0.01)
    assert replica.gate.closed
    assert not keeping.done()
    replica.gate.needs_keeper.set()
    await asyncio.sleep(0.01)
    assert world.shared.open
    keeping.cancel()


async def test_who_is_stopping_takes_no_probe() -> None:
    world = World()
    replica = world.replica()
    replica.fails()
    await replica.keeper.look()
    replica.gate.stop()
    world.time.seconds = 1.0
    await replica.keeper.look()
    assert world.destination.probes == 0
