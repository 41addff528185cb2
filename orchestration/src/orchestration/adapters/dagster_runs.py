"""Dagster's own runs of a night."""

from collections.abc import Mapping, Sequence

import dagster as dg
from dagster import DagsterRunStatus

from orchestration.domain.night import Night, Run, RunStatus
from orchestration.domain.trigger import TRIGGER_TAG

_STATUS: Mapping[DagsterRunStatus, RunStatus] = {
    DagsterRunStatus.SUCCESS: "succeeded",
    DagsterRunStatus.FAILURE: "failed",
    DagsterRunStatus.CANCELED: "failed",
    DagsterRunStatus.STARTED: "running",
}
_NEWEST = 10


class DagsterRuns:
    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def of(self, night: Night) -> Sequence[Run]:
        chosen = dg.RunsFilter(tags={TRIGGER_TAG: night.key})
        return [self._run(record.dagster_run) for record in self._instance.get_run_records(chosen, limit=_NEWEST)]

    def _run(self, run: dg.DagsterRun) -> Run:
        status = _STATUS.get(run.status, "waiting")
        why = self._why(run) if status == "failed" else None
        return Run(run.run_id, status, why, retried=run.tags.get("dagster/will_retry") == "true")

    def _why(self, run: dg.DagsterRun) -> str | None:
        if run.status is DagsterRunStatus.CANCELED:
            return "it was cancelled"
        steps = self._instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE, limit=1)
        ends = self._instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE, limit=1)
        for record in (*steps.records, *ends.records):
            event = record.event_log_entry.dagster_event
            if event is not None and event.is_step_failure and (told := event.step_failure_data.user_failure_data):
                return told.description
            if event is not None and event.message:
                return event.message
        return None
