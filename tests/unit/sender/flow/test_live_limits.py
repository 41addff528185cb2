"""Limits that change while the sender runs."""

import asyncio
from collections.abc import Mapping

import pytest

from common.configuration import Value
from common.errors import InfrastructureError
from common.settings import load_settings
from sender.app import live_limits
from sender.domain.flow import Aimd, Bucket, Standing
from sender.gate import Gate
from sender.gatekeeper import Gatekeeper, Limits
from sender.settings import SenderSettings
from tests.unit.sender.fakes import Time
from tests.unit.sender.flow.fakes import FakeShared
from tests.unit.sender.flow.test_gatekeeper import FakeProbed, FakeSwitches


class Desk:
    def __init__(self, *, adaptive: bool = False, rate: float | None = None) -> None:
        self.time = Time()
        self.now = Limits(8, rate)
        self.shared = FakeShared(lambda: self.time.seconds)
        aimd, bucket = Aimd(start=8, ceiling=8, adaptive=adaptive), Bucket(rate) if rate else None
        self.gate = Gate(aimd, ceiling=8, prefetch=8, bucket=bucket, clock=self.time.clock())
        self.keeper = Gatekeeper(
            self.gate, self.shared, FakeProbed(), FakeSwitches(), rate=rate, limits=self.limits, clock=self.time.clock()
        )

    async def limits(self) -> Limits:
        return self.now

    async def change(self, ceiling: int, rate: float | None = None) -> None:
        self.now = Limits(ceiling, rate)
        await self.keeper.look()


@pytest.mark.parametrize(("ceiling", "slots"), [(4, 8), (16, 32), (1, 2), (8, 16)])
async def test_what_may_be_claimed_follows_the_ceiling(ceiling: int, slots: int) -> None:
    desk = Desk()
    await desk.change(ceiling)
    assert (desk.gate.ceiling, desk.gate.slots) == (ceiling, slots)
    assert [place for place in range(32) if desk.gate.has_turn(place)] == list(range(ceiling))


async def test_an_adaptive_limit_falls_at_once_and_only_grows_as_it_is_borne() -> None:
    desk = Desk(adaptive=True)
    await desk.change(4)
    assert desk.gate.has_turn(3)
    assert not desk.gate.has_turn(4)
    await desk.change(64)
    assert not desk.gate.has_turn(4)


async def test_who_waits_for_a_place_goes_on_when_there_are_more() -> None:
    desk = Desk()
    waiting = asyncio.ensure_future(desk.gate.turn(9))
    await asyncio.sleep(0)
    assert not waiting.done()
    await desk.change(10)
    await asyncio.wait_for(waiting, 1)


async def test_a_rate_that_comes_is_kept_and_one_that_goes_lets_everybody_pass() -> None:
    desk = Desk()
    await desk.change(8, 5.0)
    waiting = [asyncio.ensure_future(desk.gate.token()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)
    await desk.change(8, None)
    await asyncio.wait_for(asyncio.gather(*waiting), 1)


async def test_tokens_of_another_rate_are_lost() -> None:
    desk = Desk(rate=1000.0)
    await desk.keeper.look()
    desk.gate.fill(1000)
    await desk.change(8, 1.0)
    waiting = asyncio.ensure_future(desk.gate.token())
    await asyncio.sleep(0)
    assert not waiting.done(), "it waits for a token of the new rate"
    waiting.cancel()


async def test_leases_are_asked_for_at_the_new_rate() -> None:
    desk = Desk(rate=1000.0)
    desk.time.seconds = 100.0
    await desk.change(8, 2.0)
    waiting = [asyncio.ensure_future(desk.gate.token()) for _ in range(5)]
    await asyncio.sleep(0)
    await desk.keeper.look()
    await asyncio.sleep(0)
    assert sum(one.done() for one in waiting) == 2, "a bucket holds the tokens of one second"
    for one in waiting:
        one.cancel()


async def test_without_an_answer_it_stands_as_it_stood() -> None:
    desk = Desk()
    await desk.change(4, 5.0)
    desk.shared.errors = [InfrastructureError("database: gone")]
    desk.now = Limits(8, None)
    with pytest.raises(InfrastructureError):
        await desk.keeper.look()
    assert desk.gate.ceiling == 4


async def test_a_gate_that_is_regulated_as_it_is_tells_nobody() -> None:
    desk = Desk(rate=5.0)
    desk.gate.learn(Standing(version=1), frozenset())
    desk.gate.fill(3)
    await desk.change(8, 5.0)
    await asyncio.wait_for(desk.gate.token(), 1)


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        ({}, Limits(64, 7.5)),
        ({"send_rate": 20}, Limits(64, 20.0)),
        ({"send_rate": "unlimited"}, Limits(64, None)),
        ({"send_concurrency": 3}, Limits(3, 7.5)),
    ],
)
async def test_the_table_overrides_and_the_environment_is_the_default(
    monkeypatch: pytest.MonkeyPatch, values: Mapping[str, Value], limits: Limits
) -> None:
    for name, text in {
        "DATABASE_URL": "postgresql://u:s3cr3t@h/d", "KAFKA_BOOTSTRAP_SERVERS": "h:9092", "DESTINATION_URL": "http://h/",
        "SEND_CONCURRENCY": "64", "SEND_RATE": "7.5",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, text)

    async def live() -> Mapping[str, Value]:
        return values

    assert await live_limits(load_settings(SenderSettings), live)() == limits
