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

    job_id: UUID = Field(description="the job's id, given by whoever asks: asking twice with one id is one job")
    job_type: JobType = Field(description="who asks: the schedule or a person")
    requested_at: AwareDatetime = Field(description="when it was asked for")
    triggered_by: UUID | None = Field(default=None, description="the user who asks")
    invoice_ids: tuple[Text, ...] | None = Field(default=None, description="only these of the source, else what is new")
    force_processing: bool = Field(default=False, description="again what was sent; needs `invoice_ids`, `reason`")
    reason: Text | None = Field(default=None, description="why, in the words of who asks")
    correlation_id: Text | None = Field(default=None, description="follows the request through logs and records")

    @property
    def key(self) -> bytes:
        return str(self.job_id).encode()


class InvoiceMoved(Event):
    """A row reached a stage at a version; whoever finds it at another version has nothing to do."""

    id: UUID = Field(description="the invoice's row")
    version: Version = Field(description="the row's version after the move")

    @property
    def key(self) -> bytes:
        return str(self.id).encode()


class InvoiceFetched(InvoiceMoved):
    """The row is stored and waits for its validation."""


class InvoiceValidated(InvoiceMoved):
    """The row is valid, or was proven not to be accepted, and waits to be sent."""


class InvoiceOutcome(InvoiceMoved):
    """A claim before its first byte leaves, or an end: enough to rebuild what a restored database forgot."""

    stage: Literal["claimed", "sent", "failed", "duplicate", "held"] = Field(description="where the row stands now")
    reason: str | None = Field(default=None, description="why it failed or is held")
    job_id: UUID | None = Field(default=None, description="the job that listed it")
    source_id: str = Field(description="the source's own id of the document")
    dossier: str | None = Field(default=None, description="the administration at the destination")
    dedupe_key: str | None = Field(default=None, description="equal for every copy of one document")
    generation: int = Field(default=0, description="0, then one more for each forced sending")
    content_sha256: str | None = Field(default=None, description="of the document's meaning, in hex")
    reference: UUID | None = Field(default=None, description="the idempotency key of its sending")
    attempt: int | None = Field(default=None, description="the number of its sending, growing over all invoices")
    uuid: str | None = Field(default=None, description="the destination's own id of the document")


class JobEventKind(StrEnum):
    STARTED = "started"
    SETTLING = "settling"
    COMPLETED = "completed"
    FAILED = "failed"


class JobEvent(Event):
    """A job began, has its complete listing (`settling`), or ended; numbers are read from its row."""

    job_id: UUID = Field(description="the job's row")
    version: Version = Field(description="the row's version after the change")
    kind: JobEventKind = Field(description="what happened")
    at: datetime = Field(description="when it happened")

    @property
    def key(self) -> bytes:
        return str(self.job_id).encode()
