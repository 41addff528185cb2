"""The pure rules: what a tick is called, which job it asks for, and how a job ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID, uuid5

from common.contracts.events import JobRequested, JobType

NAMESPACE = UUID("6f0bd3a1-6a3f-5d0e-9a52-0d2f6d1c7c11")
"""Never changes: the same trigger must lead to the same job for ever."""

TRIGGER_TAG = "trigger_key"
_DAILY = "daily:"


def daily_trigger_key(local_date: date) -> str:
    """One key a local date, so that neither a retry nor an edited cron line starts a second job that day."""
    return f"{_DAILY}{local_date.isoformat()}"


def manual_trigger_key(root_run_id: str) -> str:
    """The key of a run that somebody started in Dagster; a retry of it keeps the root's id."""
    return f"manual:{root_run_id}"


def job_id_of(trigger_key: str) -> UUID:
    return uuid5(NAMESPACE, trigger_key)


def request(trigger_key: str, at: datetime) -> JobRequested:
    """The event that asks for the job of `trigger_key`: a full run over what is new."""
    job_id = job_id_of(trigger_key)
    job_type = JobType.SCHEDULED if trigger_key.startswith(_DAILY) else JobType.MANUAL
    return JobRequested(
        job_id=job_id, job_type=job_type, requested_at=at, reason=trigger_key, correlation_id=str(job_id)
    )


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as the gateway shows it; `counts` by the names of the seed's `results`."""

    status: str
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    error: str | None = None

    @property
    def finished(self) -> bool:
        return self.status in {"completed", "failed"}


class JobFailed(Exception):
    """The job ended as failed."""

    def __init__(self, state: JobState) -> None:
        super().__init__(state.error or "the job failed and gave no reason")
        self.state = state


class JobNotFinished(Exception):
    """The deadline of following is over; the job itself goes on."""
