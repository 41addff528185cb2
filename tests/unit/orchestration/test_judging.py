"""What the checks claim, from numbers alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.domain.job import JobState
from orchestration.domain.judging import BUCKETS, judge_balance, judge_failures, judge_open, judge_volume

COUNTS = st.fixed_dictionaries({bucket: st.integers(0, 10**6) for bucket in BUCKETS})


@given(COUNTS)
def test_buckets_that_add_up_are_well_and_one_missing_is_not(counts: dict[str, int]) -> None:
    total = sum(counts.values())
    assert judge_balance(JobState("completed", {**counts, "total_invoices": total})).passed
    assert not judge_balance(JobState("completed", {**counts, "total_invoices": total + 1})).passed


def test_what_the_job_itself_found_broken_is_broken_whatever_adds_up() -> None:
    verdict = judge_balance(JobState("failed", {"total_invoices": 0}, "BALANCE_BROKEN: balance broken: 1 not accepted"))
    assert (verdict.passed, verdict.why) == (False, "BALANCE_BROKEN: balance broken: 1 not accepted")


@pytest.mark.parametrize(
    ("sent", "failed", "passed"), [(90, 10, True), (89, 11, False), (0, 9, True), (0, 10, False), (0, 0, True)]
)
def test_more_than_the_limit_may_not_fail_unless_they_are_few(sent: int, failed: int, *, passed: bool) -> None:
    assert judge_failures(JobState("completed", {"processed": sent, "failed": failed}), 0.1).passed is passed


@pytest.mark.parametrize(
    ("total", "earlier", "passed"),
    [
        (5, [1000] * 4, True),
        (1000, [1000] * 5, True),
        (501, [1000] * 5, True),
        (499, [1000] * 5, False),
        (1501, [1000] * 5, False),
        (1501, [1000, 1300, 700, 1500, 600, 1100], True),
        (0, [0] * 5, True),
        (0, [2, 1, 3, 1, 2], False),
    ],
)
def test_a_volume_is_compared_with_earlier_nights(total: int, earlier: list[int], *, passed: bool) -> None:
    assert judge_volume(total, earlier).passed is passed


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), min_size=5, max_size=30))
def test_the_usual_volume_is_always_usual(spread: int, nights: list[int]) -> None:
    middle = sorted(nights)[len(nights) // 2]
    if len(nights) % 2:
        assert judge_volume(middle, [*nights]).passed
    assert judge_volume(spread, [spread] * 5).passed


def test_what_is_open_is_said_with_how_much() -> None:
    assert judge_open(JobState("completed", {"open": 0})).passed
    verdict = judge_open(JobState("running", {"open": 4}))
    assert (verdict.passed, verdict.why) == (False, "4 still open; they go on by themselves")
