"""The gateway's answers. Fields that this version does not know are ignored."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Token(Answer):
    access_token: str
    token_type: str
    expires_in: int


class Profile(Answer):
    id: UUID
    username: str
    email: str
    role: str
    permissions: list[str]


class Started(Answer):
    job_id: UUID
    status: str
    estimated_completion: datetime
    message: str
    dry_run: bool = False


class Page(Answer, Generic[Item]):
    items: list[Item]
    next_cursor: str | None = None


class Results(Answer):
    total_invoices: int = 0
    processed: int = 0
    failed: int = 0
    duplicates: int = 0
    held: int = 0
    open: int = 0
    amounts: dict[str, dict[str, str]] = Field(default_factory=dict[str, dict[str, str]])


class JobFault(Answer):
    code: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict[str, Any])


class InvoiceTrouble(Answer):
    invoice_id: str
    error: str
    timestamp: datetime
    id: UUID
    status: str
    reason: str | None = None


class JobPreview(Answer):
    """The numbers of a dry run, so far."""

    would_go: int
    would_fail: int
    would_wait: int
    duplicates: int
    known: int
    open: int
    expires_at: datetime


class PreviewCause(Answer):
    outcome: str
    reason: str | None = None
    rule: str | None = None
    invoices: int
    example: str
    example_error: str | None = None


class PreviewItem(Answer):
    """`id` is of this dry run alone, `invoice_id` the source's; `twin` has the place of a duplicate."""

    id: UUID
    invoice_id: str
    outcome: str
    reason: str | None = None
    error: str | None = None
    twin: UUID | None = None
    dossier: str | None = None
    direction: str | None = None
    kind: str | None = None
    number: str | None = None
    issue_date: date | None = None
    supplier: str | None = None
    supplier_name: str | None = None
    customer: str | None = None
    customer_name: str | None = None
    currency: str | None = None
    amount: Decimal | None = None


class JobSummary(Answer):
    job_id: UUID
    job_type: str
    status: str
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    duration_seconds: int | None = None
    results: Results = Field(default_factory=Results)
    error: JobFault | None = None
    triggered_by: UUID | None = None
    force_processing: bool = False
    reason: str | None = None
    correlation_id: str | None = None
    dry_run: bool = False
    preview: JobPreview | None = None

    @property
    def finished(self) -> bool:
        return self.status in {"completed", "failed"}


class Job(JobSummary):
    """`errors`: the newest hundred of `errors_total`. `preview_causes`: why what of a dry run would not go."""

    listed_at: datetime | None = None
    cancelled_at: datetime | None = None
    invoice_ids: list[str] | None = None
    estimated_completion: datetime | None = None
    errors: list[InvoiceTrouble] = Field(default_factory=list[InvoiceTrouble])
    errors_total: int = 0
    errors_link: str | None = None
    held_link: str | None = None
    preview_causes: list[PreviewCause] = Field(default_factory=list[PreviewCause])
    preview_link: str | None = None


class JobProgress(Answer):
    """A job at one moment of its way; `stages` are its rows by stage."""

    job_id: UUID
    status: str
    results: Results = Field(default_factory=Results)
    stages: dict[str, int] = Field(default_factory=dict[str, int])
    started_at: datetime | None = None
    listed_at: datetime | None = None
    cancelled_at: datetime | None = None
    completed_at: datetime | None = None
    error: JobFault | None = None
    dry_run: bool = False

    @property
    def finished(self) -> bool:
        return self.status in {"completed", "failed"}


class JobCancelled(Answer):
    """`repeated`: it had been cancelled before."""

    job_id: UUID
    status: str
    cancelled_at: datetime | None = None
    repeated: bool = False
    message: str


class InvoiceSummary(Answer):
    """`id` is our row's id, `invoice_id` the source's, `number` the one printed on the invoice."""

    id: UUID
    invoice_id: str
    job_id: UUID | None = None
    status: str
    stage: str
    reason: str | None = None
    error: str | None = None
    dossier: str | None = None
    direction: str | None = None
    kind: str | None = None
    number: str | None = None
    issue_date: date | None = None
    supplier: str | None = None
    supplier_name: str | None = None
    customer: str | None = None
    customer_name: str | None = None
    currency: str | None = None
    amount: Decimal | None = None
    created_at: datetime
    updated_at: datetime
    processed_at: datetime | None = None


class Twin(Answer):
    id: UUID
    invoice_id: str
    number: str | None = None
    status: str
    stage: str


class TimelineEntry(Answer):
    """`kind` is `moved` (stage, reason, actor, details) or `attempted` (number, ended_at, outcome, response)."""

    kind: str
    at: datetime
    version: int
    stage: str | None = None
    reason: str | None = None
    actor: str | None = None
    details: dict[str, Any] | None = None
    number: int | None = None
    reference: UUID | None = None
    lease_until: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    uuid: str | None = None
    response: Any = None
    absent: int = 0
    looked_up_at: datetime | None = None


class Finding(Answer):
    rule: str
    severity: str
    layer: str | None = None
    message: str
    location: str | None = None
    line: int | None = None


class ValidationReport(Answer):
    ruleset: str | None = None
    valid: bool | None = None
    findings: list[Finding] = Field(default_factory=list[Finding])


class Invoice(InvoiceSummary):
    version: int
    maybe_sent: bool
    next_attempt_at: datetime | None = None
    modified_at: datetime | None = None
    dedupe_key: str | None = None
    generation: int = 0
    reference: UUID | None = None
    content_sha256: str | None = None
    raw_sha256: str
    clearfacts_response: dict[str, Any] | None = None
    findings: list[Any] | None = None
    duplicate_of: Twin | None = None
    timeline: list[TimelineEntry] = Field(default_factory=list[TimelineEntry])
    attempts: list[TimelineEntry] = Field(default_factory=list[TimelineEntry])
    validation: ValidationReport = Field(default_factory=ValidationReport)
