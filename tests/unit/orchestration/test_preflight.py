"""What an afternoon finds of the night to come, and who is told."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from orchestration.definitions import defs
from orchestration.domain.job import JobState
from orchestration.domain.preflight import Outside, Standing, look_ahead
from orchestration.domain.trigger import Order
from orchestration.use_cases import ProcessInvoices
from tests.unit.orchestration.fakes import WELL, FakeGateway, FakeTrigger, SleepingTime

NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
ANSWERS = [Outside(name, ok=True, why=None, checked_at=NOW) for name in ("source", "destination", "administrations")]


def found(standing: Standing, free: float = 0.5) -> dict[str, bool | None]:
    return {one.subject: one.ok for one in look_ahead(standing, free_disk=free, now=NOW)}


def standing(**given: Any) -> Standing:
    return replace(Standing(broken={}, paused=(), lag={}, outside=ANSWERS), **given)


def test_where_all_is_well_every_subject_is_well() -> None:
    assert set(found(standing()).values()) == {True}


@pytest.mark.parametrize(
    ("given", "subject"),
    [
        ({"broken": {"kafka": "does not answer"}}, "system"),
        ({"paused": ["sender"]}, "pauses"),
        ({"alerts": ["amnesia"]}, "alerts"),
        ({"lag": {"sender": 10_001}}, "lag"),
        ({"outside": [Outside("source", ok=False, why="401", checked_at=NOW), *ANSWERS[1:]]}, "source"),
        ({"outside": [*ANSWERS[:2], Outside("administrations", ok=False, why="x", checked_at=NOW)]}, "administrations"),
    ],
)
def test_what_is_wrong_is_the_only_finding_and_says_what_to_do(given: Mapping[str, Any], subject: str) -> None:
    wrong = [one for one in look_ahead(standing(**given), free_disk=0.5, now=NOW) if one.ok is not True]
    assert [(one.subject, one.ok) for one in wrong] == [(subject, False)]
    assert wrong[0].do


def test_a_full_disk_is_wrong() -> None:
    assert found(standing(), free=0.09)["disk"] is False


def test_what_nobody_has_looked_at_lately_or_cannot_ask_is_not_known() -> None:
    old = [Outside("source", ok=True, why=None, checked_at=NOW - timedelta(minutes=31))]
    unasked = [Outside("administrations", ok=None, why="the rest transport cannot be asked", checked_at=NOW)]
    assert {found(standing(outside=outside))["source"] for outside in ((), old)} == {None}
    assert found(standing(outside=unasked))["administrations"] is None


def afternoon(instance: dg.DagsterInstance, gateway: FakeGateway) -> dg.ExecuteInProcessResult:
    time = gateway.time
    process = ProcessInvoices(
        FakeTrigger(time), gateway, deadline=timedelta(hours=1), clock=time.clock(), sleep=time.sleep
    )
    return defs.resolve_job_def("health_monitoring").execute_in_process(
        instance=instance, resources={"processing": process, "gateway": gateway}, raise_on_error=False
    )


@pytest.mark.usefixtures("run_environment")
def test_an_afternoon_alerts_closes_what_is_over_and_asks_for_one_rehearsal(instance: dg.DagsterInstance) -> None:
    gateway = FakeGateway(SleepingTime(), lambda _: None)
    gateway.rehearsed = JobState("completed", {"total_invoices": 224}, preview={"would_go": 212, "would_fail": 9})
    gateway.stands = Standing({"kafka": "does not answer"}, (), {}, ())
    gateway.alerts = {("preflight", "pauses"): ("warning", "sender"), ("preflight", "source"): ("warning", "401")}
    assert afternoon(instance, gateway).success
    assert {subject for _, subject in gateway.alerts} == {"system", "source"}
    result = afternoon(instance, gateway)
    ((key, (_, order)),) = gateway.dry_runs.items()
    assert order == Order(reason=key, dry_run=True)
    assert datetime.fromisoformat(key.removeprefix("preview:"))
    outputs = {
        event.step_key: event.step_output_data.metadata
        for event in result.all_events
        if event.is_successful_output and event.step_key
    }
    assert outputs["look_at_tonight"]["wrong"].value == 1
    assert outputs["preview_tonight"]["would_go"].value == 212


@pytest.mark.usefixtures("run_environment")
def test_an_afternoon_without_a_gateway_fails_and_the_watch_tells(instance: dg.DagsterInstance) -> None:
    gateway = FakeGateway(SleepingTime(), lambda _: None, down_until=float("inf"), stands=WELL)
    result = afternoon(instance, gateway)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    told = failure.step_failure_data.user_failure_data
    assert told
    assert told.description == "the gateway does not answer: gateway: down"
