"""When a job will probably be done: measured on the jobs before it, and on itself once it tells enough. Pure.

The rule: the rate is invoices a second over the latest completed jobs that had any; a job whose size is not known yet
has that of the median of them; no job is faster than the fastest of them. A job under way is judged by its own rate
after `ENOUGH` invoices and `LONG_ENOUGH`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.readings import Results

LATEST = 20
"""Completed jobs that the pace is measured on."""
ENOUGH, LONG_ENOUGH = 50, timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Pace:
    """Of the latest completed jobs: invoices a second, the median size, the shortest time."""

    per_second: float
    typical: float
    shortest: timedelta


@dataclass(frozen=True, slots=True)
class Course:
    """A job that has not ended. `asked`: how many ids it was given; `told`: the estimate when it was ordered."""

    started_at: datetime | None
    listed: bool
    results: Results
    asked: int | None
    told: datetime | None


def usual_time(pace: Pace, size: int | None) -> timedelta:
    """How long a job takes that has not begun; of the typical size where `size` is not known."""
    return max(pace.shortest, timedelta(seconds=(size or pace.typical) / pace.per_second))


def expected_end(course: Course, pace: Pace | None, now: datetime) -> datetime | None:
    """Never in the past; None where nothing was measured and nothing told that is still to come."""
    if course.started_at is None:
        return _to_come(course.told, now) or (now + usual_time(pace, course.asked) if pace else None)
    done = course.results.total_invoices - course.results.open
    rate = _own_rate(done, now - course.started_at) or (pace.per_second if pace else None)
    if rate is None:
        return _to_come(course.told, now)
    return now + timedelta(seconds=(_size(course, pace) - done) / rate)


def _own_rate(done: int, elapsed: timedelta) -> float | None:
    return done / elapsed.total_seconds() if done >= ENOUGH and elapsed >= LONG_ENOUGH else None


def _size(course: Course, pace: Pace | None) -> float:
    """While the source is still being listed nobody knows: then it is as asked for, or typical, or what is there."""
    known = course.results.total_invoices
    if course.listed:
        return known
    return max(known, course.asked or (pace.typical if pace else 0))


def _to_come(at: datetime | None, now: datetime) -> datetime | None:
    return at if at is not None and at > now else None
