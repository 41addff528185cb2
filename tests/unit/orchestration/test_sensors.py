"""The sensors as Dagster evaluates them: what they remember, observe, and read of runs."""

from datetime import timedelta
from uuid import UUID, uuid4

import dagster as dg
import pytest

from common.clock import SYSTEM_CLOCK
from orchestration.adapters.dagster_runs import DagsterRuns
from orchestration.assets import GATEWAY_JOBS
from orchestration.domain.job import JobGlance
from orchestration.domain.night import Memory, Night
from orchestration.domain.observing import Seen, observe
from orchestration.domain.trigger import job_id_of
from orchestration.sensors import _MEMORY, _SEEN, gateway_jobs, night_watch  # pyright: ignore[reportPrivateUsage]
from tests.unit.orchestration.fakes import TWO_AM, FakeGateway, FakeVoice, SleepingTime

pytestmark = pytest.mark.usefixtures("run_environment")

LATER = timedelta(minutes=5)


def glance(job_id: UUID | None = None, minutes: int | None = 0) -> JobGlance:
    ended = None if minutes is None else TWO_AM + timedelta(minutes=minutes)
    status = "completed" if ended else "running"
    return JobGlance(job_id or uuid4(), "manual", status, TWO_AM, ended, {"total_invoices": 3}, reason="by hand")


def test_a_job_is_seen_once_when_it_has_ended_and_those_of_dagster_never() -> None:
    first, second, open_, ours = glance(minutes=1), glance(minutes=1), glance(minutes=None), glance(job_id_of("x"), 2)
    seen = Seen(TWO_AM)
    found, seen = observe([ours, open_, first], seen)
    assert found == [first]
    found, seen = observe([second, ours, open_, first], seen)
    assert found == [second]
    assert observe([second, ours, open_, first], seen) == ([], seen)


def test_jobs_from_elsewhere_are_observed_the_first_ended_first(instance: dg.DagsterInstance) -> None:
    gateway = FakeGateway(SleepingTime(), lambda _: None, listed=[glance(minutes=3), glance(minutes=2)])
    cursor = _SEEN.dump_json(Seen(TWO_AM)).decode()
    context = dg.build_sensor_context(instance=instance, resources={"gateway": gateway}, cursor=cursor)
    data = gateway_jobs.evaluate_tick(context)
    observed = [event for event in data.asset_events if isinstance(event, dg.AssetObservation)]
    assert [event.asset_key for event in observed] == [GATEWAY_JOBS, GATEWAY_JOBS]
    ids = [event.metadata["job_id"].value for event in observed]
    assert ids == [str(job.job_id) for job in reversed(gateway.listed)]
    again = dg.build_sensor_context(instance=instance, resources={"gateway": gateway}, cursor=data.cursor)
    assert not gateway_jobs.evaluate_tick(again).asset_events


def test_jobs_are_looked_for_again_after_the_gateway_was_away(instance: dg.DagsterInstance) -> None:
    gateway = FakeGateway(SleepingTime(), lambda _: None, listed=[glance(minutes=3)], down_until=1)
    cursor = _SEEN.dump_json(Seen(TWO_AM)).decode()
    context = dg.build_sensor_context(instance=instance, resources={"gateway": gateway}, cursor=cursor)
    data = gateway_jobs.evaluate_tick(context)
    assert "does not answer" in (data.skip_message or "")
    assert not data.asset_events
    assert data.cursor in {None, cursor}


def test_the_watch_remembers_what_it_told_from_tick_to_tick(instance: dg.DagsterInstance) -> None:
    gateway, voice, cursor = FakeGateway(SleepingTime(), lambda _: None), FakeVoice(), None
    long_ago = Memory(SYSTEM_CLOCK.now() - timedelta(days=3))
    for start in (None, _MEMORY.dump_json(long_ago).decode(), None):
        given = {"gateway": gateway, "slack": voice}
        context = dg.build_sensor_context(instance=instance, resources=given, cursor=start or cursor)
        cursor = night_watch.evaluate_tick(context).cursor
    assert cursor
    memory = _MEMORY.validate_json(cursor)
    assert memory.watching_since == long_ago.watching_since
    assert len(memory.opened) <= 1
    assert {subject for _, subject in gateway.alerts} == set(memory.opened)


def test_the_runs_of_a_night_are_found_by_its_key_with_what_ended_them(instance: dg.DagsterInstance) -> None:
    @dg.op
    def breaks() -> None:
        raise dg.Failure("wrong password", allow_retries=False)

    @dg.job
    def night() -> None:
        breaks()

    key = "daily:2026-11-24"
    night.execute_in_process(instance=instance, tags={"trigger_key": key}, raise_on_error=False)
    night.execute_in_process(instance=instance, tags={"trigger_key": "daily:2026-11-23"}, raise_on_error=False)
    (found,) = DagsterRuns(instance).of(Night(key, TWO_AM))
    assert (found.status, found.why, found.retried) == ("failed", "wrong password", False)
    started = instance.create_run_for_job(night, tags={"trigger_key": key}, status=dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(started, message="Run process was killed")
    newest = DagsterRuns(instance).of(Night(key, TWO_AM))[0]
    assert (newest.status, newest.why) == ("failed", "Run process was killed")
