"""Dagster's own scheduler over our schedule, on a clock that a test sets: what a daemon does that comes back."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from logging import getLogger
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.test_utils import (  # private: Dagster is locked
    MockedRunCoordinator,
    MockedRunLauncher,
    create_test_daemon_workspace_context,
    freeze_time,
    instance_for_test,
)
from dagster._core.workspace.load_target import ModuleTarget
from dagster._scheduler.scheduler import launch_scheduled_runs

BRUSSELS = ZoneInfo("Europe/Brussels")
MORNING = datetime(2026, 11, 29, 9, tzinfo=BRUSSELS)


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An evaluation by a daemon at a time; the trigger keys of all runs then."""
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "GATEWAY_URL", "GATEWAY_USERNAME", "GATEWAY_PASSWORD"):
        monkeypatch.setenv(name, "something")
    overrides = {
        "run_launcher": {"module": MockedRunLauncher.__module__, "class": "MockedRunLauncher"},
        "run_coordinator": {"module": MockedRunCoordinator.__module__, "class": "MockedRunCoordinator"},
    }
    with ExitStack() as stack:
        instance = stack.enter_context(instance_for_test(overrides=overrides))
        target = ModuleTarget("orchestration.definitions", None, None, "orchestration")
        workspace = stack.enter_context(create_test_daemon_workspace_context(target, instance))

        def evaluate(at: datetime) -> list[str]:
            with freeze_time(at):
                list(launch_scheduled_runs(workspace, getLogger("test"), at, iteration_times={}))
            runs = instance.get_runs(dg.RunsFilter(job_name="daily_processing"))
            return sorted(run.tags["trigger_key"] for run in runs)

        yield evaluate


def test_of_several_missed_nights_the_last_one_is_made_up_and_once_however_often_a_daemon_looks(scheduler: Any) -> None:
    assert scheduler(MORNING - timedelta(days=4)) == []
    made_up = ["daily:2026-11-29"]
    assert [scheduler(MORNING), scheduler(MORNING), scheduler(MORNING + timedelta(minutes=1))] == [made_up] * 3
    assert scheduler(MORNING + timedelta(days=1)) == [*made_up, "daily:2026-11-30"]
