"""When the nights are, on ordinary and on switch days; how often one tick may count; how late it may start."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator  # private: Dagster is locked

from common.settings import load_settings
from orchestration.definitions import defs
from orchestration.domain.schedule import next_at, too_late
from orchestration.domain.trigger import job_id_of
from orchestration.schedules import daily_schedule, preflight_schedule
from orchestration.settings import ScheduleSettings
from orchestration.ticks import last_night, next_tick

BRUSSELS = ZoneInfo("Europe/Brussels")
SWITCH_DAYS = [(datetime(2026, 10, 25, tzinfo=BRUSSELS), 25, 24), (datetime(2027, 3, 28, tzinfo=BRUSSELS), 24, 23)]
DAY = timedelta(days=1)


def ticks(first: datetime, last: datetime) -> list[datetime]:
    every = schedule_execution_time_iterator(first.timestamp(), "0 2 * * *", "Europe/Brussels")
    return list(takewhile(lambda tick: tick < last, every))


def asked_at(instance: dg.DagsterInstance, at: datetime, schedule: dg.ScheduleDefinition = daily_schedule) -> list[str]:
    """The trigger keys of the runs that a tick asks for."""
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
    return [run.tags.get("trigger_key", "none") for run in schedule.evaluate_tick(context).run_requests or ()]


@pytest.mark.parametrize(
    ("switch_day", "hours_before", "hours_after"), SWITCH_DAYS, ids=["to winter time", "to summer time"]
)
def test_a_switch_of_the_clock_neither_skips_nor_doubles_a_night(
    switch_day: datetime, hours_before: int, hours_after: int
) -> None:
    found = ticks(switch_day - DAY, switch_day + 2 * DAY)
    assert [tick.date() for tick in found] == [(switch_day + n * DAY).date() for n in (-1, 0, 1)]
    assert found[1].astimezone(UTC).hour == 1
    instants = [tick.astimezone(UTC) for tick in found]
    assert instants[1] - instants[0] == timedelta(hours=hours_before)
    assert instants[2] - instants[1] == timedelta(hours=hours_after)


@pytest.mark.parametrize("switch_day", [day for day, _, _ in SWITCH_DAYS], ids=["to winter time", "to summer time"])
def test_each_night_around_a_switch_has_one_key_and_one_job(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, switch_day: datetime
) -> None:
    keys = list[str]()
    for tick in ticks(switch_day - DAY, switch_day + 2 * DAY):
        monkeypatch.setattr("orchestration.schedules.SYSTEM_CLOCK", _Clock(tick))
        keys += asked_at(instance, tick)
    assert keys == [f"daily:{(switch_day + n * DAY).date()}" for n in (-1, 0, 1)]
    assert len({job_id_of(key) for key in keys}) == 3


class _Clock:
    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at.astimezone(UTC)


def test_the_schedules_are_on_from_the_start() -> None:
    assert daily_schedule.cron_schedule == "0 2 * * *"
    assert preflight_schedule.cron_schedule == ["0 15 * * 1-5", "30 16 * * 1-5"]
    for schedule in (daily_schedule, preflight_schedule):
        assert schedule.execution_timezone == "Europe/Brussels"
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    dg.Definitions.validate_loadable(defs)


def test_a_tick_is_named_by_its_local_date(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2026, 10, 25, 2, tzinfo=BRUSSELS, fold=1)
    monkeypatch.setattr("orchestration.schedules.SYSTEM_CLOCK", _Clock(at))
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
    (asked,) = list(daily_schedule.evaluate_tick(context).run_requests or ())
    assert asked.tags["trigger_key"] == "daily:2026-10-25"
    assert asked.tags["scheduled_for"] == "2026-10-25T01:00:00+00:00"


def test_a_tick_that_comes_five_times_asks_for_one_job(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 11, 24, 2, tzinfo=BRUSSELS)
    monkeypatch.setattr("orchestration.schedules.SYSTEM_CLOCK", _Clock(at + timedelta(hours=9)))
    assert {job_id_of(key) for _ in range(5) for key in asked_at(instance, at)} == {job_id_of("daily:2026-11-24")}


def test_a_missed_tick_starts_late_but_not_shortly_before_the_next_night(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 11, 24, 2, tzinfo=BRUSSELS)
    for hours, keys in ((19, ["daily:2026-11-24"]), (21, [])):
        monkeypatch.setattr("orchestration.schedules.SYSTEM_CLOCK", _Clock(at + timedelta(hours=hours)))
        assert asked_at(instance, at) == keys
    why = too_late(at, at + timedelta(hours=21), timedelta(hours=20))
    assert why == "21:00:00 after its time, at most 20:00:00 are allowed: the next night lists what this one would have"


def test_a_preflight_that_is_made_up_in_the_evening_is_left_out(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 11, 24, 15, tzinfo=BRUSSELS)
    for hours, runs in ((1, 1), (3, 0)):
        monkeypatch.setattr("orchestration.schedules.SYSTEM_CLOCK", _Clock(at + timedelta(hours=hours)))
        assert len(asked_at(instance, at, preflight_schedule)) == runs


@pytest.mark.parametrize(
    ("now", "last", "upcoming"),
    [
        (datetime(2026, 11, 24, 0, 59, tzinfo=UTC), "daily:2026-11-23", datetime(2026, 11, 24, 1, tzinfo=UTC)),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "daily:2026-10-24", datetime(2026, 10, 25, 1, tzinfo=UTC)),
        (datetime(2027, 3, 28, 12, tzinfo=UTC), "daily:2027-03-28", datetime(2027, 3, 29, 0, tzinfo=UTC)),
    ],
)
def test_the_night_before_and_the_night_to_come(now: datetime, last: str, upcoming: datetime) -> None:
    assert last_night(now).key == last
    assert next_tick(now).astimezone(UTC) == upcoming  # of two zones a repeated hour equals nothing


def test_people_are_told_on_the_morning_after_the_start() -> None:
    at = ScheduleSettings().report_at
    night, noon = datetime(2026, 11, 24, 1, tzinfo=UTC), datetime(2026, 11, 24, 11, tzinfo=UTC)
    assert next_at(night, at, BRUSSELS) == datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    assert next_at(noon, at, BRUSSELS) == datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
    assert next_at(datetime(2027, 3, 28, 1, tzinfo=UTC), at, BRUSSELS) == datetime(2027, 3, 28, 5, 30, tzinfo=UTC)


def test_a_time_zone_that_is_none_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEDULE_TIMEZONE", "Europe/Brussel")
    with pytest.raises(Exception, match=r"SCHEDULE_TIMEZONE: .*'Europe/Brussel' is no time zone"):
        load_settings(ScheduleSettings)
