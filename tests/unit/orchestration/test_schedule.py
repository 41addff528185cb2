"""The code location as Dagster loads it: its schedule on ordinary and on switch days, and its job on fakes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from uuid import UUID
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator  # private: Dagster is locked

from common.settings import load_settings
from orchestration.definitions import daily_processing, daily_schedule, defs
from orchestration.domain import JobState, job_id_of
from orchestration.settings import ScheduleSettings
from orchestration.use_cases import ProcessInvoices
from tests.unit.orchestration.fakes import FakeGateway, FakeTrigger, SleepingTime, done_after

BRUSSELS = ZoneInfo("Europe/Brussels")
SECRETS = {
    "KAFKA_BOOTSTRAP_SERVERS": "nowhere:1",
    "GATEWAY_URL": "http://gateway/",
    "GATEWAY_USERNAME": "dagster",
    "GATEWAY_PASSWORD": "a-secret",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def ticks(first: datetime, last: datetime) -> list[datetime]:
    every = schedule_execution_time_iterator(first.timestamp(), "0 2 * * *", "Europe/Brussels")
    return list(takewhile(lambda tick: tick < last, every))


@pytest.mark.parametrize(
    ("switch_day", "hours_before", "hours_after"),
    [(datetime(2026, 10, 25, tzinfo=BRUSSELS), 25, 24), (datetime(2027, 3, 28, tzinfo=BRUSSELS), 24, 23)],
    ids=["to winter time", "to summer time"],
)
def test_a_switch_of_the_clock_neither_skips_nor_doubles_a_night(
    switch_day: datetime, hours_before: int, hours_after: int
) -> None:
    found = ticks(switch_day - timedelta(days=1), switch_day + timedelta(days=2))
    assert [tick.date() for tick in found] == [(switch_day + timedelta(days=n)).date() for n in (-1, 0, 1)]
    assert found[1].astimezone(UTC).hour == 1
    instants = [tick.astimezone(UTC) for tick in found]
    assert instants[1] - instants[0] == timedelta(hours=hours_before)
    assert instants[2] - instants[1] == timedelta(hours=hours_after)


def test_the_schedule_is_on_from_the_start_at_two_in_brussels() -> None:
    assert daily_schedule.cron_schedule == "0 2 * * *"
    assert daily_schedule.execution_timezone == "Europe/Brussels"
    assert daily_schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    dg.Definitions.validate_loadable(defs)


def test_a_tick_is_named_by_its_local_date(instance: dg.DagsterInstance) -> None:
    at = datetime(2026, 10, 25, 2, tzinfo=BRUSSELS, fold=1)
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
    (asked,) = list(daily_schedule.evaluate_tick(context).run_requests or ())
    assert asked.tags["trigger_key"] == "daily:2026-10-25"
    assert asked.tags["scheduled_for"] == "2026-10-25T01:00:00+00:00"


def test_a_time_zone_that_is_none_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEDULE_TIMEZONE", "Europe/Brussel")
    with pytest.raises(Exception, match=r"SCHEDULE_TIMEZONE: .*'Europe/Brussel' is no time zone"):
        load_settings(ScheduleSettings)


def run(instance: dg.DagsterInstance, end: JobState, **tags: str) -> tuple[dg.ExecuteInProcessResult, FakeTrigger]:
    time = SleepingTime()
    trigger = FakeTrigger(time)
    gateway = FakeGateway(time, done_after(30, end))
    process = ProcessInvoices(trigger, gateway, deadline=timedelta(hours=1), clock=time.clock(), sleep=time.sleep)
    result = daily_processing.execute_in_process(
        instance=instance, tags=tags, resources={"processing": process}, raise_on_error=False
    )
    return result, trigger


def test_a_run_of_the_schedule_asks_for_the_job_of_its_day_and_shows_what_became_of_it(
    instance: dg.DagsterInstance,
) -> None:
    end = JobState("completed", {"total_invoices": 3, "processed": 2, "failed": 1})
    result, trigger = run(instance, end, trigger_key="daily:2026-11-24")
    assert result.success
    job_id = job_id_of("daily:2026-11-24")
    assert [event.job_id for _, event in trigger.published] == [job_id]
    (output,) = result.filter_events(lambda event: event.event_type_value == "STEP_OUTPUT")
    shown = {name: value.value for name, value in output.step_output_data.metadata.items()}
    assert shown == {
        "job_id": str(job_id),
        "url": f"http://gateway/jobs/{job_id}",
        "total_invoices": 3,
        "processed": 2,
        "failed": 1,
    }


def test_a_run_whose_job_failed_fails_with_its_error_and_the_jobs_id(instance: dg.DagsterInstance) -> None:
    result, _ = run(instance, JobState("failed", error="balance broken: 1 missing"), trigger_key="daily:2026-11-24")
    (failure,) = result.filter_events(lambda event: event.is_step_failure)
    data = failure.step_failure_data
    assert data.user_failure_data
    assert data.user_failure_data.description == "balance broken: 1 missing"
    assert data.user_failure_data.metadata["job_id"].value == str(job_id_of("daily:2026-11-24"))


def test_a_run_without_a_tick_asks_for_a_job_of_its_own(instance: dg.DagsterInstance) -> None:
    result, trigger = run(instance, JobState("completed"))
    (_, event) = trigger.published[0]
    assert event.reason == f"manual:{result.run_id}"
    assert UUID(str(event.job_id)).version == 5
