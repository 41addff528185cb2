"""Halving finds the culprit and spares the others."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import DatabaseTimeout, Deadlock, InfrastructureError, RowFault
from common.halves import in_halves


class Desk:
    """Works numbers; `bad` ones are at fault, more than `most` at once take too long."""

    def __init__(self, *, bad: set[int] | None = None, most: int = 1000, deadlocks: int = 0) -> None:
        self.bad, self.most, self.deadlocks = bad or set(), most, deadlocks
        self.parked: list[int] = []
        self.calls = 0

    async def work(self, items: Sequence[int]) -> Sequence[int]:
        self.calls += 1
        if self.deadlocks:
            self.deadlocks -= 1
            raise Deadlock("40P01")
        if len(items) > self.most:
            raise DatabaseTimeout("57014")
        if self.bad & set(items):
            raise RowFault("22021")
        return items

    async def park(self, item: int, fault: RowFault) -> Sequence[int]:
        assert str(fault) == "22021"
        self.parked.append(item)
        return [-item]

    async def run(self, items: Sequence[int]) -> list[int]:
        return await in_halves(items, self.work, self.park)


@given(st.integers(0, 40), st.sets(st.integers(1, 40)), st.integers(1, 40))
async def test_every_item_is_worked_or_parked_in_its_order(count: int, bad: set[int], most: int) -> None:
    desk = Desk(bad=bad, most=most)
    items = list(range(1, count + 1))
    assert await desk.run(items) == [-item if item in bad else item for item in items]
    assert desk.parked == [item for item in items if item in bad]


async def test_one_bad_row_among_five_hundred_costs_two_calls_a_level() -> None:
    desk = Desk(bad={333})
    await desk.run(range(1, 501))
    assert desk.parked == [333]
    assert desk.calls <= 2 * 9 + 1


async def test_nothing_is_asked_for_nothing() -> None:
    desk = Desk()
    assert await desk.run([]) == []
    assert desk.calls == 0


async def test_a_single_item_that_takes_too_long_is_never_parked() -> None:
    desk = Desk(most=0)
    with pytest.raises(DatabaseTimeout):
        await desk.run([1])
    assert desk.parked == []


async def test_a_deadlock_is_tried_again_at_once() -> None:
    desk = Desk(deadlocks=1)
    assert await desk.run([1, 2]) == [1, 2]
    assert desk.calls == 2


async def test_a_bad_row_behind_a_deadlock_is_still_found() -> None:
    desk = Desk(deadlocks=1, bad={2})
    assert await desk.run([1, 2, 3]) == [1, -2, 3]


async def test_deadlocks_without_end_are_left_to_the_caller() -> None:
    with pytest.raises(Deadlock):
        await Desk(deadlocks=99).run([1, 2])


async def test_a_missing_database_parks_nothing() -> None:
    desk = Desk()

    async def away(_: Sequence[int]) -> Sequence[int]:
        raise InfrastructureError("database")

    with pytest.raises(InfrastructureError):
        await in_halves([1, 2], away, desk.park)
    assert desk.parked == []
