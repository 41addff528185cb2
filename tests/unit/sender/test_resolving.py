"""Unknown rows are looked up side by side but bounded, and a destination that does not answer is left alone."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from common.clock import Clock
from common.errors import RowFault
from common.invoice.move import Moved
from common.invoice.stage import Stage
from sender.domain import Outcome
from sender.domain.evidence import Case, Finding, Found, Hold, LookAgain, LookupFailed, Proven, Rules, Trial
from sender.ports import Key
from sender.resolving import AT_ONCE, Resolver
from tests.unit.sender.fakes import FakeAnnounce, FakeDestination, Time, moved

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
RULES = Rules(lookup=True, settle=timedelta(minutes=3), key_life=timedelta(hours=24))


def unclear(**changes: object) -> Case:
    started = NOW - timedelta(hours=1)
    trial = Trial(1, started, started + timedelta(seconds=90), Outcome.UNKNOWN)
    return Case(uuid4(), 4, uuid4(), NOW, (trial,), **changes)  # pyright: ignore[reportArgumentType]


@dataclass(slots=True)
class FakeUnknowns:
    """`bad` is a row that the database does not take."""

    rows: Sequence[Case]
    bad: UUID | None = None
    found: list[Finding] = field(default_factory=list[Finding])

    async def cases(self, keys: Sequence[Key]) -> Sequence[Case]:
        return [row for row in self.rows if (row.id, row.version) in keys]

    async def conclude(self, findings: Sequence[Finding]) -> Sequence[Moved]:
        if self.bad in {finding.case.id for finding in findings}:
            raise RowFault("22P05")
        self.found += findings
        return [moved(f.case.id, Stage.SENT, 5) for f in findings if isinstance(f.verdict, Proven)]

    @property
    def keys(self) -> list[Key]:
        return [(row.id, row.version) for row in self.rows]


@dataclass(slots=True)
class World:
    rows: FakeUnknowns
    rules: Rules = RULES
    destination: FakeDestination = field(default_factory=FakeDestination)
    announce: FakeAnnounce = field(default_factory=FakeAnnounce)
    time: Time = field(default_factory=Time)

    def resolver(self) -> Resolver:
        clock = Clock(monotonic=lambda: self.time.seconds, chance=random.Random(1))
        return Resolver(self.rows, self.destination, self.rules, announce=self.announce, clock=clock)


def world(number: int) -> World:
    return World(FakeUnknowns([unclear() for _ in range(number)]))


async def test_what_is_found_is_sent_and_announced() -> None:
    here = world(3)
    there = here.rows.rows[1]
    here.destination.knows[there.reference] = Found(("u-1",))
    await here.resolver()(here.rows.keys)
    assert [told.id for told in here.announce.told] == [there.id]
    assert [type(finding.verdict) for finding in here.rows.found] == [LookAgain, Proven, LookAgain]


async def test_lookups_go_side_by_side_and_never_more_than_that() -> None:
    here = world(AT_ONCE * 3)
    here.destination.gate = asyncio.Event()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(here.resolver()(here.rows.keys))
        while len(here.destination.asked) < AT_ONCE:
            await asyncio.sleep(0)
        here.destination.gate.set()
    assert here.destination.most_at_once == AT_ONCE
    assert sorted(here.destination.asked) == sorted(row.reference for row in here.rows.rows)


async def test_one_row_that_the_database_does_not_take_keeps_nobody_else() -> None:
    here = world(9)
    here.destination.knows = {row.reference: Found(("u",)) for row in here.rows.rows}
    here.rows.bad = here.rows.rows[4].id
    await here.resolver()(here.rows.keys)
    assert {told.id for told in here.announce.told} == {row.id for row in here.rows.rows} - {here.rows.bad}


async def test_after_a_failed_lookup_the_destination_is_left_alone_and_nothing_is_burnt() -> None:
    here = world(100)
    here.destination.knows = {row.reference: LookupFailed("503") for row in here.rows.rows}
    resolve = here.resolver()
    await resolve(here.rows.keys)
    assert len(here.destination.asked) == AT_ONCE
    assert all(isinstance(finding.verdict, LookAgain) and not finding.verdict.absent for finding in here.rows.found)
    assert len(here.rows.found) == 100


async def test_a_destination_that_is_down_for_half_an_hour_is_asked_less_than_once_a_second() -> None:
    here = world(100)
    here.destination.knows = {row.reference: LookupFailed("503") for row in here.rows.rows}
    resolve = here.resolver()
    for second in range(30 * 60):
        here.time.seconds = float(second)
        await resolve(here.rows.keys)
    assert len(here.destination.asked) < AT_ONCE + 100


async def test_when_it_answers_again_the_lookups_go_side_by_side_again() -> None:
    here = world(AT_ONCE * 2)
    first = here.rows.rows[0].reference
    here.destination.knows[first] = LookupFailed("503")
    resolve = here.resolver()
    await resolve(here.rows.keys[:1])
    here.time.seconds = 1.0
    here.destination.asked.clear()
    del here.destination.knows[first]
    await resolve(here.rows.keys)
    assert len(here.destination.asked) == AT_ONCE * 2


async def test_where_nothing_can_be_asked_nothing_is() -> None:
    here = world(2)
    here.rules = Rules(lookup=False, settle=timedelta(0), key_life=None)
    await here.resolver()(here.rows.keys)
    assert here.destination.asked == []
    assert [type(finding.verdict) for finding in here.rows.found] == [Hold, Hold]


async def test_a_row_that_moved_on_meanwhile_is_not_looked_up() -> None:
    here = world(1)
    await here.resolver()([(here.rows.rows[0].id, 99)])
    assert here.destination.asked == []
