"""How many calls at once."""

import pytest

from sender.domain.flow import Aimd


def a_round(aimd: Aimd, began: float, *, seconds: float = 0.1, peak: int | None = None) -> float:
    """As many calls as the limit allows, all well; when they end."""
    for _ in range(aimd.limit):
        aimd.well(began, began + seconds, aimd.limit if peak is None else peak)
    return began + seconds


def test_a_round_of_successes_allows_one_more() -> None:
    aimd = Aimd(start=4, ceiling=16)
    a_round(aimd, 0.0)
    assert aimd.limit == 5


def test_it_never_passes_the_ceiling() -> None:
    aimd, now = Aimd(start=4, ceiling=6), 0.0
    for _ in range(10):
        now = a_round(aimd, now)
    assert aimd.limit == 6


def test_it_starts_no_higher_than_the_ceiling() -> None:
    assert Aimd(start=4, ceiling=2).limit == 2


def test_a_limit_that_is_not_used_does_not_grow() -> None:
    aimd = Aimd(start=8, ceiling=16)
    for now in range(50):
        aimd.well(now, now + 0.1, 3)
    assert aimd.limit == 8


def test_a_failure_takes_a_third_away() -> None:
    aimd = Aimd(start=10, ceiling=16)
    aimd.cut(0.0, 1.0)
    assert aimd.limit == 7


def test_failures_that_left_together_cut_once() -> None:
    aimd = Aimd(start=10, ceiling=16)
    for late in range(10):
        aimd.cut(0.0, 1.0 + late)
    assert aimd.limit == 7
    aimd.cut(1.0, 12.0)
    assert aimd.limit == 4


def test_there_is_a_floor_of_one() -> None:
    aimd = Aimd(start=4, ceiling=16)
    for now in range(20):
        aimd.cut(now, now + 0.5)
    assert aimd.limit == 1


def test_twice_the_smallest_latency_is_too_much() -> None:
    aimd, now = Aimd(start=8, ceiling=8), 0.0
    for _ in range(10):
        now = a_round(aimd, now, seconds=0.1)
    assert aimd.limit == 8
    for _ in range(3):
        now = a_round(aimd, now, seconds=0.4)
    assert aimd.limit < 8


def test_a_latency_that_only_wavers_is_borne() -> None:
    aimd, now = Aimd(start=8, ceiling=8), 0.0
    for turn in range(200):
        now = a_round(aimd, now, seconds=0.1 if turn % 3 else 0.17)
    assert aimd.limit == 8


def test_milliseconds_of_our_own_are_no_latency_of_theirs() -> None:
    aimd, now = Aimd(start=8, ceiling=8), 0.0
    for turn in range(100):
        now = a_round(aimd, now, seconds=0.003 if turn < 50 else 0.015)
    assert aimd.limit == 8


def test_a_destination_that_became_slower_for_good_is_used_fully_again() -> None:
    aimd, now = Aimd(start=8, ceiling=8), 0.0
    for _ in range(10):
        now = a_round(aimd, now, seconds=0.1)
    limits: list[int] = []
    for _ in range(200):
        now = a_round(aimd, now, seconds=1.0)
        limits.append(aimd.limit)
    assert min(limits) == 1
    assert limits[-1] == 8


def test_a_restart_begins_from_the_start_and_forgets_what_left_before() -> None:
    aimd, now = Aimd(start=4, ceiling=32), 0.0
    for _ in range(20):
        now = a_round(aimd, now)
    assert aimd.limit == 24
    aimd.restart(now)
    assert aimd.limit == 4
    aimd.cut(now - 0.1, now + 1.0)
    assert aimd.limit == 4


def test_a_restart_never_raises_the_limit() -> None:
    aimd = Aimd(start=4, ceiling=32)
    aimd.cut(0.0, 1.0)
    aimd.restart(2.0)
    assert aimd.limit == 2


@pytest.mark.parametrize("fails", [True, False])
def test_fixed_is_fixed(*, fails: bool) -> None:
    aimd, now = Aimd(start=4, ceiling=16, adaptive=False), 0.0
    for _ in range(20):
        now = a_round(aimd, now)
        if fails:
            aimd.cut(now, now + 1.0)
            aimd.restart(now + 1.0)
    assert aimd.limit == 16
