"""When a job will probably be done."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.pace import ENOUGH, LONG_ENOUGH, Course, Pace, expected_end, usual_time
from gateway.domain.readings import Results
from tests.unit.gateway.fakes import NOON

PACE = Pace(per_second=10, typical=900, shortest=timedelta(seconds=20))
MINUTE = timedelta(minutes=1)


def course(total: int = 0, still_open: int = 0, **given: object) -> Course:
    usual = {"started_at": NOON - MINUTE, "listed": False, "asked": None, "told": None}
    return Course(results=Results(total_invoices=total, open=still_open), **usual | given)  # pyright: ignore[reportArgumentType]


def test_a_job_of_unknown_size_has_the_typical_one() -> None:
    assert usual_time(PACE, None) == timedelta(seconds=90)
    assert usual_time(PACE, 300) == timedelta(seconds=30)


def test_no_job_is_faster_than_the_fastest() -> None:
    assert usual_time(PACE, 1) == timedelta(seconds=20)


@pytest.mark.parametrize(
    ("found", "pace", "seconds"),
    [
        (course(total=30, still_open=20, listed=True), PACE, 2),
        (course(total=30, still_open=20), PACE, 89),
        (course(total=30, still_open=20, asked=110), PACE, 10),
        (course(total=1030, still_open=20), PACE, 0.12 * 10 / 10),
        (course(total=660, still_open=60, listed=True), PACE, 6),
        (course(total=660, still_open=60, listed=True), None, 6),
        (course(total=1260, still_open=60, listed=True), PACE, 3),
        (course(listed=True), PACE, 0),
    ],
)
def test_a_job_under_way_ends_when_the_rest_is_done(found: Course, pace: Pace | None, seconds: float) -> None:
    ends = expected_end(found, pace, NOON)
    assert ends is not None
    assert (ends - NOON).total_seconds() == pytest.approx(seconds, abs=1.1)


def test_a_job_that_waits_keeps_what_was_told_while_that_is_to_come() -> None:
    told = NOON + MINUTE
    assert expected_end(course(started_at=None, told=told), PACE, NOON) == told
    assert expected_end(course(started_at=None, told=NOON - MINUTE), PACE, NOON) == NOON + timedelta(seconds=90)
    assert expected_end(course(started_at=None, told=NOON - MINUTE), None, NOON) is None


def test_without_any_measure_nothing_is_guessed() -> None:
    assert expected_end(course(total=ENOUGH - 1), None, NOON) is None
    young = course(total=10 * ENOUGH, started_at=NOON - LONG_ENOUGH / 2)
    assert expected_end(young, None, NOON) is None
    assert expected_end(course(total=1, told=NOON + MINUTE), None, NOON) == NOON + MINUTE


@given(
    found=st.builds(
        lambda total, share, elapsed, listed, asked: course(
            total, int(total * share), started_at=NOON - elapsed, listed=listed, asked=asked
        ),
        total=st.integers(0, 10**7),
        share=st.floats(0, 1),
        elapsed=st.timedeltas(timedelta(0), timedelta(days=30)),
        listed=st.booleans(),
        asked=st.none() | st.integers(1, 1000),
    ),
    pace=st.none() | st.just(PACE),
)
def test_an_estimate_is_never_in_the_past(found: Course, pace: Pace | None) -> None:
    ends = expected_end(found, pace, NOON)
    assert ends is None or ends >= NOON
