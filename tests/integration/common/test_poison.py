"""What no handler can work, on the real broker: found, parked, and nobody else's trouble."""

import asyncio
import random
import sys
from asyncio import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from common.contracts.events import InvoiceFetched
from common.kafka import Batch
from common.kafka.notes import DEATHS_ALONE
from common.storm import CONSECUTIVE
from tests.integration.common.hanging import POISON
from tests.integration.common.kafka import TOPIC, Seen, announce, announcing, committed, consuming, events

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(180)]


async def lives(bootstrap: str) -> tuple[int, list[str]]:
    """A process until it dies, or until it has nothing more to do; its exit code and what it said."""
    process = await subprocess.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.common.hanging", "dies", bootstrap, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        while line := await asyncio.wait_for(process.stdout.readline(), 12.0):
            said.append(line.decode().strip())
    except TimeoutError:
        process.kill()
    return await process.wait(), said


async def test_a_record_that_kills_its_process_is_found_and_parked_and_the_others_are_worked(
    kafka_bootstrap: str,
) -> None:
    poison = InvoiceFetched(id=events(1)[0].id, version=POISON)
    good = events(40)
    async with announcing(kafka_bootstrap) as announcer:
        await announcer.announce(TOPIC, [*good[:20], poison, *good[20:]])
    deaths, said = 0, list[str]()
    while (life := await lives(kafka_bootstrap))[0] == 9:
        deaths += 1
        said += life[1]
        assert deaths < 10, said
    said += life[1]
    worked = [UUID(line.split()[1]) for line in said if line.startswith("worked")]
    assert set(worked) == {event.id for event in good}
    assert [line for line in said if line.startswith("parked")][-1].endswith("three times with it alone in hand")
    assert deaths == 3 + DEATHS_ALONE, "whole, whole, in halves, then alone"
    assert await committed(kafka_bootstrap) == 41
    print(f"{deaths} deaths, {len(worked) - len(good)} worked twice")


@dataclass
class Book:
    """Alerts as a test reads them."""

    standing: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    told: list[str] = field(default_factory=list[str])

    async def open(self, kind: str, subject: str, details: Mapping[str, Any]) -> None:
        if subject not in self.standing:
            self.told.append(f"{kind} {subject} opened")
        self.standing[subject] = details

    async def close(self, kind: str, subject: str) -> None:
        if self.standing.pop(subject, None):
            self.told.append(f"{kind} {subject} closed")

    async def opened(self, kind: str, subject: str) -> Mapping[str, Any] | None:
        assert kind
        return self.standing.get(subject)


class Defective(Seen):
    """Fails for a `share` of the events, chosen by their ids, while the defect is on."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.defect = True
        self.parked: list[UUID] = []

    async def __call__(self, batch: Batch[InvoiceFetched]) -> None:
        if self.defect and any(random.Random(event.id.int).random() < self.share for event in batch.events):
            raise ZeroDivisionError("a bad deploy")
        await super().__call__(batch)

    async def park(self, event: InvoiceFetched, cause: str) -> None:
        assert "ZeroDivisionError" in cause
        self.parked.append(event.id)


@pytest.mark.parametrize("share", [1.0, 0.6])
async def test_a_storm_parks_no_more_than_its_threshold_and_ends_by_itself(kafka_bootstrap: str, share: float) -> None:
    sent = await announce(kafka_bootstrap, 600)
    work, book = Defective(share), Book()
    async with consuming(kafka_bootstrap, work, alerts=book, park=work.park):
        async with asyncio.timeout(30):
            while not book.told:
                await asyncio.sleep(0.05)
        await asyncio.sleep(4.0)
        assert len(work.parked) <= CONSECUTIVE
        done = len(work.ids)
        work.defect = False
        await work.until(600 - len(work.parked))
        async with asyncio.timeout(20):
            while await committed(kafka_bootstrap) < 600:
                await asyncio.sleep(0.1)
    assert set(work.ids) | set(work.parked) == sent
    assert book.told == [f"storm validator:{TOPIC} opened", f"storm validator:{TOPIC} closed"]
    assert len(work.parked) <= CONSECUTIVE
    print(f"{len(work.parked)} parked, {done} done while it lasted, {len(work.ids) - len(set(work.ids))} worked twice")


@pytest.mark.alone
async def test_poison_in_every_partition_delays_the_good_records_by_less_than_two_seconds(
    kafka_bootstrap: str,
) -> None:
    class Picky(Seen):
        async def __call__(self, batch: Batch[InvoiceFetched]) -> None:
            if any(event.version == POISON for event in batch.events):
                raise KeyError("poison")
            await super().__call__(batch)

        async def park(self, event: InvoiceFetched, cause: str) -> None:
            assert cause
            parked.append(event.id)

    parked: list[UUID] = []
    seen = Picky()
    loop = asyncio.get_running_loop()
    async with consuming(kafka_bootstrap, seen, park=seen.park), announcing(kafka_bootstrap) as announcer:
        await announcer.announce(TOPIC, events(6))
        await seen.until(6)
        poison = [InvoiceFetched(id=event.id, version=POISON) for event in events(18)]
        good = events(300)
        began = loop.time()
        await announcer.announce(TOPIC, [*poison, *good])
        await seen.until(306)
        took = loop.time() - began
    assert set(parked) == {event.id for event in poison}
    assert took < 2.0
    print(f"300 good records behind 18 poisonous ones: {took:.2f} s")
