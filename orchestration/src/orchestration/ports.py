"""What the stories need from outside. A call raises InfrastructureError when nobody answers just now."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from common.contracts.events import JobRequested
from orchestration.domain.job import JobGlance, JobState, Told
from orchestration.domain.night import Night, Run, Severity
from orchestration.domain.preflight import Standing
from orchestration.domain.trigger import Order


class Jobs(Protocol):
    def progress(self, job_id: UUID) -> JobState | None:
        """How far it is, counted at this moment; None while there is no such job.

        Raises PermanentError when the gateway will not answer us.
        """
        ...

    def job(self, job_id: UUID) -> JobState | None:
        """As it stands, with amounts and causes."""
        ...

    def told(self, job_id: UUID) -> Sequence[Told]:
        """What people were told of it."""
        ...


class Trigger(Protocol):
    def publish(self, event: JobRequested) -> None:
        """Returns when all in-sync replicas have the record, else raises InfrastructureError."""
        ...


class DryRuns(Protocol):
    def dry_run(self, order: Order, key: str) -> UUID:
        """The dry run that stands for `key`, started where there is none yet."""
        ...


class JobList(Protocol):
    def jobs(self, *, scheduled: bool, limit: int) -> Sequence[JobGlance]:
        """The newest first; `scheduled`: those of the schedule alone."""
        ...


class Alerts(Protocol):
    def open_alert(self, kind: str, subject: str, *, severity: Severity, why: str, do: str) -> None:
        """Ask for a person; while one of that kind and subject is open nothing happens."""
        ...

    def close_alerts(self, kind: str, subjects: Sequence[str], *, reason: str) -> None:
        """Those that are open of these; nothing for the others."""
        ...


class SystemState(Protocol):
    def standing(self) -> Standing:
        """How the system is."""
        ...


class Voice(Protocol):
    def say(self, text: str) -> None:
        """Directly, without the notifier. Raises InfrastructureError where it was not taken."""
        ...


class Runs(Protocol):
    def of(self, night: Night) -> Sequence[Run]:
        """Dagster's own runs of that night, the newest first."""
        ...


class Watched(Jobs, JobList, Alerts, Protocol):
    """What the watch over the night asks the gateway."""


class Gateway(Jobs, DryRuns, JobList, Alerts, SystemState, Protocol):
    """All of it."""
