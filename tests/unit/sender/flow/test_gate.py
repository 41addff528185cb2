"""The gate, with a clock that only the test moves."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from sender.domain import Accepted, Delivery, NotAccepted, OutcomeUnknown
from sender.domain.flow import Aimd, Bucket, Standing
from sender.gate import FIRST_HALT, Gate
from tests.unit.sender.fakes import Time

WELL = Accepted("u", {})
DOWN = NotAccepted("could not connect", everyone=True)
SILENT = OutcomeUnknown("no answer within 30 s", everyone=True)
THROTTLED = NotAccepted("429", everyone=True, throttled=True)
NOBODY: frozenset[str] = frozenset()


class Desk:
    def __init__(self, *, start: int = 4, ceiling: int = 8, adaptive: bool = True, rate: float | None = None) -> None:
        self.time = Time()
        self.changes = 0
        self.gate = Gate(
            Aimd(start=start, ceiling=ceiling, adaptive=adaptive),
            ceiling=ceiling,
            prefetch=ceiling,
            bucket=Bucket(rate) if rate else None,
            clock=self.time.clock(),
        )
        self.gate.learn(Standing(version=1), NOBODY)
        self.gate.on_change(self._count)

    def calls(self, answers: Sequence[Delivery], *, seconds: float = 0.1) -> None:
        """One after the other."""
        for answer in answers:
            began = self.gate.leave()
            self.time.seconds += seconds
            self.gate.came_back(answer, began)

    def _count(self) -> None:
        self.changes += 1


@pytest.mark.parametrize("answer", [DOWN, SILENT])
def test_five_failures_in_a_row_close_it_until_the_others_have_been_told(answer: Delivery) -> None:
    desk = Desk()
    desk.calls([answer] * 4)
    assert not desk.gate.closed
    desk.calls([answer])
    assert desk.gate.closed
    assert desk.gate.tripped
    assert desk.gate.needs_keeper.is_set()
    desk.gate.learn(Standing(version=1), NOBODY)
    assert desk.gate.closed, "a standing from before it tripped opens nothing"


def test_it_stays_closed_while_the_breaker_is_open_for_all() -> None:
    desk = Desk()
    desk.gate.learn(Standing(version=2, open=True), NOBODY)
    assert desk.gate.closed
    assert desk.gate.tripped is None
    desk.gate.learn(Standing(version=4), NOBODY)
    assert not desk.gate.closed


def test_it_begins_from_the_start_once_the_breaker_closed() -> None:
    desk = Desk(adaptive=True, start=2, ceiling=8)
    for _ in range(8):
        began = [desk.gate.leave() for _ in range(8)]
        desk.time.seconds += 0.1
        for at in began:
            desk.gate.came_back(WELL, at)
    assert desk.gate.slots > 8
    desk.gate.learn(Standing(version=2, open=True), NOBODY)
    desk.gate.learn(Standing(version=4), NOBODY)
    assert desk.gate.slots == 4


def test_a_breaker_that_opened_and_closed_between_two_looks_is_seen_by_its_version() -> None:
    desk = Desk()
    desk.calls([DOWN] * 5)
    desk.gate.learn(Standing(version=4), NOBODY)
    assert not desk.gate.closed
    assert desk.gate.tripped is None


def test_calls_that_left_before_it_closed_say_nothing_about_after() -> None:
    desk = Desk()
    began = [desk.gate.leave() for _ in range(8)]
    desk.time.seconds = 5.0
    desk.gate.learn(Standing(version=4), NOBODY)
    desk.time.seconds = 30.0
    for at in began:
        desk.gate.came_back(SILENT, at)
    assert not desk.gate.closed
    desk.calls([SILENT])
    assert desk.gate.closed, "after a probe one failure is enough"


def test_a_429_without_a_time_is_a_short_pause_and_no_failure() -> None:
    desk = Desk(start=8)
    desk.calls([THROTTLED] * 20)
    assert desk.gate.tripped is None
    assert desk.gate.slots == 2
    assert desk.gate.closed
    desk.time.seconds += FIRST_HALT.total_seconds()
    assert not desk.gate.closed


def test_a_retry_after_is_a_floor_for_everybody_and_told_once() -> None:
    desk = Desk()
    desk.calls([NotAccepted("429", timedelta(seconds=20), everyone=True, throttled=True)])
    desk.calls([NotAccepted("429", timedelta(seconds=5), everyone=True, throttled=True)])
    assert desk.gate.take_untold_hold() == timedelta(seconds=20)
    assert desk.gate.take_untold_hold() is None
    desk.time.seconds = 20.0
    assert desk.gate.closed
    desk.time.seconds = 20.11
    assert not desk.gate.closed


def test_the_floor_that_another_replica_met_is_ours_too() -> None:
    desk = Desk()
    desk.gate.learn(Standing(version=1, held_for=timedelta(seconds=7)), NOBODY)
    assert desk.gate.closed
    desk.time.seconds = 7.0
    assert not desk.gate.closed


def test_pauses_of_one_administration_and_of_all() -> None:
    desk = Desk()
    desk.gate.learn(Standing(version=1), frozenset({"0123456749"}))
    assert (desk.gate.closed, "0123456749" in desk.gate.paused) == (False, True)
    desk.gate.learn(Standing(version=1), frozenset({"*"}))
    assert desk.gate.closed
    desk.gate.learn(Standing(version=1), NOBODY)
    assert not desk.gate.closed
    assert desk.changes == 3
    desk.gate.learn(Standing(version=1), NOBODY)
    assert desk.changes == 3, "nobody is bothered with what he knows"


def test_it_is_closed_until_it_has_heard_of_the_pauses() -> None:
    gate = Gate(Aimd(start=4, ceiling=8), ceiling=8, clock=Time().clock())
    assert gate.closed
    gate.learn(Standing(version=7), frozenset({"*"}))
    assert gate.closed
    gate.learn(Standing(version=7), NOBODY)
    assert not gate.closed


def test_who_was_stopped_stays_stopped() -> None:
    desk = Desk()
    desk.gate.stop()
    desk.gate.learn(Standing(version=1), NOBODY)
    assert desk.gate.closed


async def test_a_worker_works_while_the_limit_has_a_place_for_it() -> None:
    desk = Desk(start=4, ceiling=8)
    await desk.gate.turn(3)
    async with asyncio.TaskGroup() as tasks:
        fifth = tasks.create_task(desk.gate.turn(4))
        await asyncio.sleep(0)
        assert not fifth.done()
        began = [desk.gate.leave() for _ in range(4)]
        desk.time.seconds = 0.1
        for at in began:
            desk.gate.came_back(WELL, at)
    assert desk.gate.has_turn(4)
    assert not desk.gate.has_turn(5)


def test_fixed_means_that_answers_change_no_limit() -> None:
    desk = Desk(ceiling=8, adaptive=False)
    desk.calls([THROTTLED] * 5)
    assert desk.gate.slots == 16


async def test_a_call_waits_for_its_token_and_asks_for_more() -> None:
    desk = Desk(rate=2.0)
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(desk.gate.token()) for _ in range(3)]
        await asyncio.sleep(0)
        assert desk.gate.thirsty
        assert desk.gate.needs_keeper.is_set()
        desk.gate.fill(2)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [task.done() for task in waiting] == [True, True, False]
        desk.gate.fill(1)
    assert not desk.gate.thirsty


async def test_nobody_waits_for_a_token_at_a_closed_gate() -> None:
    desk = Desk(rate=2.0)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.gate.token())
        await asyncio.sleep(0)
        desk.gate.stop()


def test_with_a_slow_rate_few_are_claimed_ahead() -> None:
    assert Desk(start=8, rate=0.3).gate.slots == 3
    assert Desk(start=8, rate=300.0).gate.slots == 16
