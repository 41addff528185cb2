"""Storms of one unexpected exception, and the isolation of the one item that fails."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from common.clock import Clock
from common.errors import InfrastructureError
from common.isolation import STORM, Isolation, Steps, StormGoesOnError
from common.storm import CONSECUTIVE, StormGuard, fingerprint


class FakeAlerts:
    def __init__(self) -> None:
        self.standing: dict[str, Mapping[str, Any]] = {}
        self.told: list[str] = []

    async def open(self, kind: str, subject: str, details: Mapping[str, Any]) -> None:
        assert kind == STORM
        self.standing[subject] = details
        self.told.append("opened")

    async def close(self, kind: str, subject: str) -> None:
        del self.standing[subject]
        self.told.append("closed")

    async def opened(self, kind: str, subject: str) -> Mapping[str, Any] | None:
        return self.standing.get(subject)


@dataclass
class Stage:
    """Items are numbers; `bad` ones fail while `defect` is on."""

    bad: Sequence[int] = ()
    defect: bool = True
    now: float = 0.0
    done: list[int] = field(default_factory=list[int])
    parked: list[int] = field(default_factory=list[int])
    probes: list[int] = field(default_factory=list[int])
    alerts: FakeAlerts = field(default_factory=FakeAlerts)

    def __post_init__(self) -> None:
        self.isolation = self.process()

    def process(self) -> Isolation:
        """A process of this stage; it sleeps no longer than a test needs."""
        return Isolation("stage", guard=StormGuard(clock=Clock(monotonic=self.tick)), alerts=self.alerts)

    def tick(self) -> float:
        self.now += 0.6
        return self.now

    async def work(self, items: Sequence[int]) -> None:
        if self.defect and set(items) & set(self.bad):
            raise ValueError("a defect of ours")
        self.done += items

    async def park(self, item: int, cause: str) -> None:
        assert cause.startswith("an unexpected error: ValueError at test_storm.py:")
        self.parked.append(item)

    async def probe(self, items: Sequence[int]) -> None:
        self.probes += items
        await self.work(items)

    async def take(self, items: Sequence[int]) -> None:
        await self.isolation.take(items, Steps(lambda item: str(item).encode(), self.work, self.park, self.probe))

    async def take_again(self, items: Sequence[int]) -> None:
        """What goes back is polled again; every second probe is of a row that had failed."""
        try:
            await self.take(items)
        except StormGoesOnError:
            await self.take(items)


async def test_the_one_item_that_fails_is_parked_and_the_others_are_done_in_order() -> None:
    stage = Stage(bad=[37])
    await stage.take(range(100))
    assert (stage.parked, stage.alerts.told) == ([37], [])
    assert stage.done == [n for n in range(100) if n != 37]


async def test_when_everything_fails_alike_parking_ends_at_the_threshold_and_a_person_is_asked() -> None:
    stage = Stage(bad=range(1000))
    with pytest.raises(StormGoesOnError):
        await stage.take(range(1000))
    assert stage.parked == list(range(CONSECUTIVE))
    assert stage.alerts.told == ["opened"]
    for _ in range(5):
        with pytest.raises(StormGoesOnError):
            await stage.take(range(CONSECUTIVE, 1000))
    assert len(stage.probes) == 5
    assert stage.parked == list(range(CONSECUTIVE))


async def test_it_resumes_by_itself_when_a_row_passes_that_had_failed() -> None:
    stage = Stage(bad=range(1000))
    with pytest.raises(StormGoesOnError):
        await stage.take(range(1000))
    stage.defect = False
    await stage.take_again(range(CONSECUTIVE, 1000))
    assert stage.alerts.told == ["opened", "closed"]
    assert set(stage.done) | set(stage.parked) == set(range(1000))


async def test_a_row_that_never_failed_proves_nothing() -> None:
    stage = Stage(bad=range(0, 1000, 2))
    with pytest.raises(StormGoesOnError):
        await stage.take(range(1000))
    with pytest.raises(StormGoesOnError):
        await stage.take([1, 3, 5])
    assert stage.alerts.told == ["opened"]
    assert len(stage.parked) == CONSECUTIVE


async def test_some_rows_in_a_hundred_are_no_storm_however_many_they_become() -> None:
    stage = Stage(bad=range(0, 5000, 50))
    for start in range(0, 5000, 50):
        await stage.take(range(start, start + 50))
    assert stage.parked == list(range(0, 5000, 50))
    assert stage.alerts.told == []


async def test_another_process_and_the_next_one_know_of_the_storm_and_park_nothing_more() -> None:
    stage = Stage(bad=range(1000))
    with pytest.raises(StormGoesOnError):
        await stage.take(range(100))
    stage.isolation = stage.process()
    with pytest.raises(StormGoesOnError):
        await stage.take(range(CONSECUTIVE, 1000))
    assert len(stage.parked) == CONSECUTIVE
    stage.defect = False
    await stage.take_again(range(CONSECUTIVE, 1000))
    assert stage.alerts.told == ["opened", "closed"]


async def test_waiting_for_infrastructure_is_no_defect() -> None:
    stage = Stage()

    async def away(_: Sequence[int]) -> None:
        raise InfrastructureError("database")

    with pytest.raises(InfrastructureError):
        await stage.isolation.take([1, 2], Steps(lambda _: b"", away, stage.park, stage.probe))
    assert stage.parked == []


async def test_probes_are_at_most_one_a_second() -> None:
    now = 0.0
    guard = StormGuard(clock=Clock(monotonic=lambda: now))
    guard.begin("defect", b"1")
    assert guard.seconds_to_probe() == 1.0
    now = 1.5
    assert guard.seconds_to_probe() == 0.0
    guard.choose([b"1"])
    assert guard.seconds_to_probe() == 1.0


def test_the_same_defect_has_the_same_fingerprint_whatever_its_message_says() -> None:
    def prints(text: str) -> str:
        with pytest.raises(ValueError, match=text) as caught:
            int(text)
        return fingerprint(caught.value)

    assert prints("invoice 1 of Janssens") == prints("invoice 2")
    assert "Janssens" not in prints("invoice 1 of Janssens")
    assert fingerprint(asyncio.CancelledError()) == "CancelledError"
