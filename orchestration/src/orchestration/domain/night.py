"""Whether a night has brought no job, so that somebody has to be told by other means than a job's own message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from orchestration.domain.job import JobState

Severity: TypeAlias = Literal["critical", "warning"]
RunStatus: TypeAlias = Literal["waiting", "running", "succeeded", "failed"]


@dataclass(frozen=True, slots=True)
class Night:
    """A tick that is over: `key` names its job."""

    key: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the night, as Dagster has it; `retried`: another run takes over."""

    run_id: str
    status: RunStatus
    why: str | None = None
    retried: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    severity: Severity
    why: str
    do: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What the watch knows from its earlier ticks; kept in the sensor's cursor.

    `opened`: alerts that were stored and not closed yet, by night. `silent_since`: the gateway has not answered since.
    """

    watching_since: datetime
    opened: Mapping[str, str] = field(default_factory=dict[str, str])
    silent_since: datetime | None = None
    said: bool = False


def trouble_of(
    night: Night, runs: Sequence[Run], job: JobState | None, *, now: datetime, late_after: timedelta
) -> Trouble | None:
    """None while all may still be well, and where a job tells for itself. `runs`: the newest first."""
    if job is not None and job.finished:
        return None
    newest = runs[0] if runs else None
    if newest is not None and newest.status == "failed" and not newest.retried:
        return _run_ended(newest, job)
    if now - night.due_at < late_after:
        return None
    return _late(newest, job, now - night.due_at)


def _run_ended(run: Run, job: JobState | None) -> Trouble:
    why = f"the run {run.run_id} ended: {run.why or 'it was killed'}"
    if job is None:
        return Trouble("critical", f"{why}; no job came of it", "start daily_processing again in Dagster")
    return Trouble("warning", f"{why}; its job goes on, unwatched", "look at the job; nothing has to be started again")


def _late(run: Run | None, job: JobState | None, lateness: timedelta) -> Trouble | None:
    minutes = round(lateness.total_seconds() / 60)
    if job is None and run is None:
        return Trouble(
            "critical",
            f"{minutes} min after its time no run was started",
            "is the schedule switched on, and does Dagster's daemon run? start daily_processing by hand",
        )
    if job is None:
        return Trouble(
            "critical",
            f"{minutes} min after its time the run waits and its job is nowhere",
            "do Kafka and the fetcher work? the run asks again each 30 seconds, nothing has to be started",
        )
    if not job.listed:
        return Trouble(
            "warning",
            f"{minutes} min after its time the source is not listed to its end",
            "look at the job and at the source; it goes on by itself",
        )
    return None


def heard(memory: Memory) -> tuple[Memory, str | None]:
    """The gateway answers; what is to be said directly."""
    back = "The gateway answers again; what has to be told comes the usual way." if memory.said else None
    return replace(memory, silent_since=None, said=False), back


def not_heard(memory: Memory, why: str, *, now: datetime, patience: timedelta) -> tuple[Memory, str | None]:
    """The gateway does not answer; what is to be said directly, once, since no alert can be stored."""
    since = memory.silent_since or now
    memory = replace(memory, silent_since=since)
    if memory.said or now - since < patience:
        return memory, None
    text = f"Dagster has had no answer from the gateway since {since:%Y-%m-%d %H:%M} UTC, so alerts cannot be stored"
    return memory, f"{text}: {why[:300]}"
