"""The payloads, one class per kind of record. Consumers ignore fields that they do not know."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""What the column can hold: a record with another version would fail the whole batch's SQL."""

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""Text that PostgreSQL can hold, for the same reason."""


class Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    @property
    def key(self) -> bytes:
        """The record's Kafka key."""
        raise NotImplementedError


class JobType(StrEnum):
    SCHEDULED = "scheduled"
    MANUAL = "manual"


class JobRequested(Event):
    """Somebody asks for a run; all that the job's row needs, so that a lost row can be made from it."""

    job_id: UUID
    job_type: JobType
    requested_at: AwareDatetime
    triggered_by: UUID | None = None
    invoice_ids: tuple[Text, ...] | None = None
    force_processing: bool = False
    reason: Text | None = None
    correlation_id: Text | None = None

    @property
    def key(self) -> bytes:
        return str(self.job_id).encode()


class InvoiceMoved(Event):
    """A row reached a stage at a version; whoever finds it at another version has nothing to do."""

    id: UUID
    version: Version

    @property
    def key(self) -> bytes:
        return str(self.id).encode()


class InvoiceFetched(InvoiceMoved):
    pass


class InvoiceValidated(InvoiceMoved):
    pass


class InvoiceOutcome(InvoiceMoved):
    """A claim before its first byte leaves, or an end: enough to rebuild what a restored database forgot."""

    stage: Literal["claimed", "sent", "failed", "duplicate", "held"]
    reason: str | None = None
    job_id: UUID | None = None
    source_id: str
    dossier: str | None = None
    dedupe_key: str | None = None
    generation: int = 0
    content_sha256: str | None = Field(default=None, description="hex")
    reference: UUID | None = None
    attempt: int | None = None
    uuid: str | None = Field(default=None, description="the destination's own id of the document")


class JobEventKind(StrEnum):
    STARTED = "started"
    SETTLING = "settling"
    COMPLETED = "completed"
    FAILED = "failed"


class JobEvent(Event):
    job_id: UUID
    version: Version
    kind: JobEventKind
    at: datetime

    @property
    def key(self) -> bytes:
        return str(self.job_id).encode()
