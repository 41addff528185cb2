"""The code location as Dagster loads it: its jobs on fakes, and what their runs show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import dagster as dg
import pytest

from orchestration.definitions import defs
from orchestration.domain.job import JobGlance, JobState, Told
from orchestration.domain.trigger import job_id_of
from orchestration.ops import said_as_failure
from orchestration.use_cases import ProcessInvoices
from tests.unit.orchestration.fakes import (
    TWO_AM,
    FakeGateway,
    FakeTrigger,
    SleepingTime,
    done_after,
    message,
    waiting_from,
)

pytestmark = pytest.mark.usefixtures("run_environment")

NIGHT = "daily:2026-11-24"
END = JobState(
    "completed",
    {"total_invoices": 30, "processed": 27, "failed": 2, "held": 1, "open": 0},
    listed=True,
    amounts={"sent": {"EUR": "270.00"}},
    causes={"invalid": 2, "unknown_outcome": 1},
)
STORY = ["raw_invoices", "validated_invoices", "processed_invoices", "job_metrics"]


@dataclass
class Done:
    result: dg.ExecuteInProcessResult
    trigger: FakeTrigger
    gateway: FakeGateway

    def shown(self, asset: str) -> dict[str, Any]:
        (found,) = [
            event.step_materialization_data.materialization
            for event in self.result.get_asset_materialization_events()
            if event.asset_key == dg.AssetKey(asset)
        ]
        return {name: value.value for name, value in found.metadata.items()}

    @property
    def assets(self) -> list[str]:
        return [str(e.asset_key.path[-1]) for e in self.result.get_asset_materialization_events() if e.asset_key]

    @property
    def checks(self) -> dict[str, bool]:
        return {one.check_name: one.passed for one in self.result.get_asset_check_evaluations()}

    @property
    def failure(self) -> tuple[str | None, str | None, Mapping[str, Any]]:
        (event,) = [e for e in self.result.all_events if e.is_step_failure]
        told = event.step_failure_data.user_failure_data
        assert told
        return event.step_key, told.description, told.metadata


def run(
    instance: dg.DagsterInstance,
    answer: Callable[[float], JobState | None],
    *,
    job: str = "daily_processing",
    key: str | None = NIGHT,
    config: Mapping[str, Any] | None = None,
    told: tuple[Told, ...] = (message(),),
    listed: tuple[JobGlance, ...] = (),
    report_at: datetime | None = None,
) -> Done:
    time = SleepingTime()
    trigger, gateway = FakeTrigger(time), FakeGateway(time, answer, messages=list(told), listed=list(listed))
    process = ProcessInvoices(
        trigger, gateway, deadline=timedelta(hours=6), report_at=report_at, clock=time.clock(), sleep=time.sleep
    )
    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        tags={"trigger_key": key} if key else {},
        resources={"processing": process, "gateway": gateway},
        run_config={"resources": {"configuration": {"config": config}}} if config else None,
        raise_on_error=False,
    )
    return Done(result, trigger, gateway)


def test_a_night_tells_its_story_asset_by_asset(instance: dg.DagsterInstance) -> None:
    done = run(instance, done_after(30, END))
    assert done.result.success
    job_id = job_id_of(NIGHT)
    assert [event.job_id for _, event in done.trigger.published] == [job_id]
    assert done.assets == STORY
    shown = done.shown("processed_invoices")
    assert (shown["job_id"], shown["status"]) == (str(job_id), "completed")
    assert shown["url"] == f"http://gateway/jobs/{job_id}"
    assert shown["failed_link"] == f"http://gateway/failed-messages?job_id={job_id}"
    assert shown["held_link"] == f"http://gateway/held?job_id={job_id}"
    assert (shown["processed"], shown["amount_sent"]) == (27, "EUR 270.00")
    assert shown["failures_by_cause"] == {"invalid": 2, "unknown_outcome": 1}
    assert shown["trace_id"] == done.result.run_id.replace("-", "")
    assert done.shown("job_metrics")["messages"] == "- job_finished by slack: sent"
    assert set(done.checks.values()) == {True}
    assert set(done.checks) == {
        "volume_is_usual", "balance_proof", "failed_share", "all_ended", "people_were_told"
    }  # fmt: skip


def test_the_steps_have_the_names_of_the_customers_operations(instance: dg.DagsterInstance) -> None:
    steps = [event.step_key for event in run(instance, done_after(0, END)).result.get_step_success_events()]
    assert [step for step in steps if step and "." in step] == [
        "raw_invoices.retrieve_invoices",
        "validated_invoices.validate_invoices",
        "processed_invoices.send_to_clearfacts",
        "job_metrics.send_notifications",
    ]


def test_a_job_that_waits_for_retries_in_the_morning_ends_the_run_well_with_a_warning(
    instance: dg.DagsterInstance,
) -> None:
    at = TWO_AM + timedelta(hours=1)
    done = run(instance, waiting_from(600, open_=2), told=(message("job_still_open"),), report_at=at)
    assert done.result.success
    assert done.shown("processed_invoices")["still_open"] == 2
    assert done.checks["all_ended"] is False
    assert done.checks["people_were_told"] is True
    (open_check,) = [one for one in done.result.get_asset_check_evaluations() if one.check_name == "all_ended"]
    assert open_check.severity is dg.AssetCheckSeverity.WARN


def test_a_broken_balance_fails_the_run_at_its_op_and_marks_the_check(instance: dg.DagsterInstance) -> None:
    broken = JobState("failed", {"total_invoices": 3}, "BALANCE_BROKEN: balance broken: 1 missing", listed=True)
    done = run(instance, done_after(10, broken))
    step, why, shown = done.failure
    assert (step, why) == ("processed_invoices.send_to_clearfacts", broken.error)
    assert shown["job_id"].value == str(job_id_of(NIGHT))
    assert done.assets == STORY[:2]
    check = dg.AssetCheckKey(dg.AssetKey("processed_invoices"), "balance_proof")
    newest = instance.event_log_storage.get_asset_check_execution_history(check, limit=1)[0]
    assert newest.event
    evaluation = newest.event.dagster_event
    assert evaluation
    assert evaluation.asset_check_evaluation_data.passed is False


def test_a_source_that_is_away_fails_the_run_where_the_listing_is_waited_for(instance: dg.DagsterInstance) -> None:
    done = run(instance, done_after(10, JobState("failed", error="EXTERNAL_API_ERROR: answered 503")))
    assert done.failure[:2] == ("raw_invoices.retrieve_invoices", "EXTERNAL_API_ERROR: answered 503")


def test_nobody_told_yet_is_a_mark_and_no_failure(instance: dg.DagsterInstance) -> None:
    done = run(instance, done_after(0, END), told=())
    assert done.result.success
    assert done.checks["people_were_told"] is False
    assert done.shown("job_metrics")["messages"] == "none yet"


def test_an_unusual_night_is_marked_and_the_run_is_well(instance: dg.DagsterInstance) -> None:
    usual = tuple(
        JobGlance(UUID(int=n), "scheduled", "completed", TWO_AM, TWO_AM, {"total_invoices": 1_000}) for n in range(6)
    )
    bad = JobState("completed", {"total_invoices": 20, "processed": 10, "failed": 10}, listed=True)
    done = run(instance, done_after(0, bad), listed=usual)
    assert done.result.success
    assert (done.checks["volume_is_usual"], done.checks["failed_share"]) == (False, False)


def test_a_run_by_hand_is_not_compared_with_nights(instance: dg.DagsterInstance) -> None:
    usual = tuple(
        JobGlance(UUID(int=n), "scheduled", "completed", TWO_AM, TWO_AM, {"total_invoices": 1_000}) for n in range(6)
    )
    done = run(instance, done_after(0, JobState("completed", listed=True)), key=None, listed=usual)
    assert done.checks["volume_is_usual"] is True


def test_a_run_without_a_tick_asks_for_a_job_of_its_own(instance: dg.DagsterInstance) -> None:
    done = run(instance, done_after(0, END), key=None)
    (_, event) = done.trigger.published[0]
    assert event.reason == f"manual:{done.result.run_id}"
    assert UUID(str(event.job_id)).version == 5


def test_a_run_by_hand_takes_ids_force_and_a_reason(instance: dg.DagsterInstance) -> None:
    config = {"force_processing": True, "invoice_ids": ["SRC-1", "SRC-2"], "reason": "lost at their side"}
    done = run(instance, done_after(0, END), job="manual_trigger", key=None, config=config)
    assert done.result.success
    (_, event) = done.trigger.published[0]
    assert (event.force_processing, event.invoice_ids, event.reason) == (True, ("SRC-1", "SRC-2"), "lost at their side")
    assert event.job_type == "manual"


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"force_processing": True}, "force_processing needs invoice_ids and a reason"),
        ({"invoice_ids": ["a,b"]}, "'a,b' is no id of the source"),
        ({"invoice_ids": [f"S{n}" for n in range(1001)]}, "at most 1000"),
    ],
)
def test_what_the_gateway_would_refuse_is_refused_before_anything_is_asked_for(
    instance: dg.DagsterInstance, config: Mapping[str, Any], why: str
) -> None:
    done = run(instance, done_after(0, END), job="manual_trigger", key=None, config=config)
    assert why in (done.failure[1] or "")
    assert done.trigger.published == []


def test_a_night_takes_no_configuration(instance: dg.DagsterInstance) -> None:
    done = run(instance, done_after(0, END), config={"invoice_ids": ["SRC-1"]})
    assert "use manual_trigger" in (done.failure[1] or "")
    assert done.trigger.published == []


def test_a_rehearsal_is_observed_and_makes_nothing(instance: dg.DagsterInstance) -> None:
    done = run(instance, done_after(0, END), job="manual_trigger", key=None, config={"dry_run": True})
    assert done.result.success
    assert (done.trigger.published, done.assets, done.checks) == ([], [], {})
    ((key, (job_id, order)),) = done.gateway.dry_runs.items()
    assert (key, order.dry_run) == (f"manual:{done.result.run_id}", True)
    (seen,) = done.result.get_asset_observation_events()
    told = seen.asset_observation_data.asset_observation.metadata
    assert (told["job_id"].value, told["would_go"].value) == (str(job_id), 2)


def test_whatever_is_started_runs_in_one_process() -> None:
    names = [job.name for job in defs.resolve_all_job_defs()]
    assert {"daily_processing", "health_monitoring", "manual_trigger"} < set(names)
    assert {defs.resolve_job_def(name).executor_def.name for name in names} == {"in_process"}


def test_a_failure_that_no_job_told_of_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError), said_as_failure(dg.build_op_context(), None):
        raise ZeroDivisionError
