"""What following a job needs from outside."""

from typing import Protocol
from uuid import UUID

from common.contracts.events import JobRequested
from orchestration.domain import JobState


class Gateway(Protocol):
    def job(self, job_id: UUID) -> JobState | None:
        """None while there is no such row.

        Raises InfrastructureError when the gateway cannot be asked just now, PermanentError when it will not answer us.
        """
        ...


class Trigger(Protocol):
    def publish(self, event: JobRequested) -> None:
        """Returns when all in-sync replicas have the record, else raises InfrastructureError."""
        ...
