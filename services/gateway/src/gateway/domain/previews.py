"""What a dry run says. These shapes are the API's answers."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias
from uuid import UUID

Outcome: TypeAlias = Literal["open", "would_go", "would_fail", "would_wait", "duplicate", "known"]
"""Of an invoice: `known` was listed by an earlier job as it is, `duplicate` is another document of the same invoice."""


@dataclass(frozen=True, slots=True)
class JobPreview:
    """How many invoices would go, fail, wait (for a person, or while sending is paused) or be left out, so far.

    `duplicates`: another document has their place; `known`: an earlier job has listed this very document; a job counts
    both as its duplicates. `open`: not judged yet. All of it vanishes at `expires_at`.
    """

    would_go: int
    would_fail: int
    would_wait: int
    duplicates: int
    known: int
    open: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PreviewCause:
    """Why invoices would fail or wait; `rule` is the one that invalid ones break, `example` the first of them."""

    outcome: Outcome
    reason: str | None
    rule: str | None
    invoices: int
    example: str
    example_error: str | None


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """What would become of one invoice. `id` is of this dry run alone; `invoice_id` is the source's id.

    `twin`: who has its place, an invoice (`/api/v1/invoices/{row_id}`) or an earlier item of the same dry run.
    """

    id: UUID
    invoice_id: str
    outcome: Outcome
    reason: str | None
    error: str | None
    twin: UUID | None
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
