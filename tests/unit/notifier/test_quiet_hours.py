"""Quiet hours and digests by the clock on the wall, also in the nights in which it is changed."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.quiet_hours import QuietHours, moment_of, next_at
from tests.unit.notifier.fakes import BRUSSELS

NIGHT = QuietHours(time(22), time(7), BRUSSELS)
MINUTES = st.integers(0, 24 * 60 - 1).map(lambda minutes: time(minutes // 60, minutes % 60))
ZONES = st.sampled_from(["Europe/Brussels", "UTC", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-01-15T20:59", None),
        ("2026-01-15T21:00", "2026-01-16T06:00"),
        ("2026-01-16T05:59", "2026-01-16T06:00"),
        ("2026-01-16T06:00", None),
        ("2026-07-15T20:00", "2026-07-16T05:00"),
        ("2026-03-28T21:00", "2026-03-29T05:00"),  # eight hours of night
        ("2026-10-24T20:00", "2026-10-25T06:00"),  # ten
    ],
)
def test_the_night_is_from_ten_to_seven_on_the_wall(now: str, end: str | None) -> None:
    assert NIGHT.over_at(utc(now)) == (utc(end) if end else None)


def test_hours_of_one_day_are_not_over_midnight() -> None:
    lunch = QuietHours(time(12), time(13), BRUSSELS)
    found = [lunch.over_at(utc(f"2026-01-15T{at}")) for at in ("10:59", "11:00", "11:59", "12:00")]
    assert found == [None, utc("2026-01-15T12:00"), utc("2026-01-15T12:00"), None]


@pytest.mark.parametrize("hour", [0, 12])
def test_the_same_time_twice_is_no_quiet_hours(hour: int) -> None:
    none = QuietHours(time(hour), time(hour), BRUSSELS)
    assert [none.over_at(utc(f"2026-01-15T{at:02}:30")) for at in range(24)] == [None] * 24


def test_an_end_that_comes_twice_is_the_first_and_the_second_is_not_quiet_again() -> None:
    """On 25 October 2026 it is half past two at 00:30 and at 01:30 UTC."""
    hours = QuietHours(time(22), time(2, 30), BRUSSELS)
    found = [hours.over_at(utc(f"2026-10-25T{at}")) is not None for at in ("00:29", "00:30", "01:10", "01:30")]
    assert found == [True, False, False, False]


def test_an_end_that_is_skipped_is_the_moment_of_the_jump() -> None:
    """On 29 March 2026 it is three o'clock directly after 01:59:59."""
    hours = QuietHours(time(22), time(2, 30), BRUSSELS)
    assert hours.over_at(utc("2026-03-29T00:59")) == utc("2026-03-29T01:00")
    assert hours.over_at(utc("2026-03-29T01:00")) is None


@given(MOMENTS, MINUTES, MINUTES, ZONES)
def test_quiet_hours_end_soon_and_then_they_are_over(now: datetime, start: time, end: time, zone: str) -> None:
    hours = QuietHours(start, end, ZoneInfo(zone))
    if (over := hours.over_at(now)) is not None:
        assert timedelta(0) < over - now <= timedelta(hours=26)
        assert hours.over_at(over) is None


@given(MOMENTS, MINUTES, ZONES, st.none() | st.integers(0, 6))
def test_a_digest_is_once_a_day_or_once_a_week(now: datetime, at: time, zone: str, weekday: int | None) -> None:
    there = ZoneInfo(zone)
    first = next_at(now, at, there, weekday)
    second = next_at(first, at, there, weekday)
    days = 1 if weekday is None else 7
    assert first > now
    assert (second.astimezone(there).date() - first.astimezone(there).date()).days == days
    assert weekday is None or first.astimezone(there).weekday() == weekday


@given(st.dates(date(2024, 1, 1), date(2030, 1, 1)), MINUTES, ZONES)
def test_a_time_of_a_day_is_that_time_or_the_first_there_is_after_it(day: date, at: time, zone: str) -> None:
    there = moment_of(day, at, ZoneInfo(zone)).astimezone(ZoneInfo(zone))
    assert datetime.combine(day, at) <= there.replace(tzinfo=None) <= datetime.combine(day, at) + timedelta(hours=1)
