"""What can be read about jobs and invoices. These shapes are the API's answers."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, Literal, TypeAlias, TypeVar
from uuid import UUID

from gateway.domain.previews import JobPreview, PreviewCause

Item = TypeVar("Item")

JobState: TypeAlias = Literal["pending", "running", "completed", "failed"]
JobKind: TypeAlias = Literal["scheduled", "manual"]


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """`dry_run`: dry runs instead of jobs."""

    status: JobState | None = None
    job_type: JobKind | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Results:
    """Counts of one job; `processed` is what was sent. Amounts: bucket -> currency -> decimal text.

    In a dry run nothing is processed: what would go is in its `preview`, the other buckets are what a job would have.
    """

    total_invoices: int = 0
    processed: int = 0
    failed: int = 0
    duplicates: int = 0
    held: int = 0
    open: int = 0
    amounts: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])


@dataclass(frozen=True, slots=True)
class JobFault:
    """Why a job failed, in the shape of an error envelope's `error`."""

    code: str
    message: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InvoiceTrouble:
    """A failed or held invoice of a job; `invoice_id` is the source's id, `id` our row."""

    invoice_id: str
    error: str
    timestamp: datetime
    id: UUID
    status: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class JobSummary:
    """`preview`: of a dry run, which no one else has."""

    job_id: UUID
    job_type: str
    status: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    duration_seconds: int | None
    results: Results
    error: JobFault | None
    triggered_by: UUID | None
    force_processing: bool
    reason: str | None
    correlation_id: str | None
    dry_run: bool = field(default=False, kw_only=True)
    preview: JobPreview | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class JobStatus(JobSummary):
    """`errors`: the newest hundred of `errors_total`; `errors_link` lists the failed ones, `held_link` the held ones.

    `estimated_completion`: of a job that has not ended, where anything was measured. `preview_causes`: why what of a
    dry run would not go, the commonest first; `preview_link` lists all of its invoices. `trace_id`: where the spans of
    its work are; null where it is not traced.
    """

    listed_at: datetime | None
    cancelled_at: datetime | None
    invoice_ids: list[str] | None
    estimated_completion: datetime | None
    errors: list[InvoiceTrouble]
    errors_total: int
    errors_link: str | None
    held_link: str | None
    preview_causes: list[PreviewCause] = field(default_factory=list[PreviewCause], kw_only=True)
    preview_link: str | None = field(default=None, kw_only=True)
    trace_id: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class InvoiceSummary:
    id: UUID
    invoice_id: str
    job_id: UUID | None
    status: str
    stage: str
    reason: str | None
    error: str | None
    dossier: str | None
    direction: str | None
    kind: str | None
    number: str | None
    issue_date: date | None
    supplier: str | None
    supplier_name: str | None
    customer: str | None
    customer_name: str | None
    currency: str | None
    amount: Decimal | None
    created_at: datetime
    updated_at: datetime
    processed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Twin:
    """The row whose duplicate another one is."""

    id: UUID
    invoice_id: str
    number: str | None
    status: str
    stage: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The row reached a stage."""

    at: datetime
    version: int
    stage: str
    reason: str | None
    actor: str
    details: dict[str, Any] | None
    kind: Literal["moved"] = "moved"


@dataclass(frozen=True, slots=True)
class Attempted:
    """The document went to the destination; `outcome` is null until that is known.

    `looked_up_at` is when the destination was asked for it last, `absent` how often it did not know it.
    """

    at: datetime
    version: int
    number: int
    reference: UUID
    lease_until: datetime
    ended_at: datetime | None
    outcome: str | None
    uuid: str | None
    response: Any
    absent: int = 0
    looked_up_at: datetime | None = None
    kind: Literal["attempted"] = "attempted"


@dataclass(frozen=True, slots=True)
class FindingReading:
    """`location` is a path in the document, `line` counts from 1."""

    rule: str
    severity: str
    layer: str | None
    message: str
    location: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """What the rules of `ruleset` said of the document; nobody has judged it yet where `valid` is null."""

    ruleset: str | None
    valid: bool | None
    findings: list[FindingReading]


@dataclass(frozen=True, slots=True)
class InvoiceDetail(InvoiceSummary):
    version: int
    maybe_sent: bool
    next_attempt_at: datetime | None
    modified_at: datetime | None
    dedupe_key: str | None
    generation: int
    reference: UUID | None
    content_sha256: str | None
    raw_sha256: str
    clearfacts_response: dict[str, Any] | None
    findings: list[Any] | None
    duplicate_of: Twin | None
    timeline: list[Moved | Attempted]
    attempts: list[Attempted]
    validation: ValidationReport
