"""What an operator may order, and how two orders are told apart."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common.contracts.events import JobRequested, JobType
from gateway.domain.access import Caller, User

ENDED = frozenset({"completed", "failed"})
"""Statuses of a job that changes no more."""
MOST_OPEN_JOBS = 20
"""Of one user at once: more of them would only stand in each other's way."""
MOST_OPEN_DRY_RUNS = 3
"""Of one user at once, beside the jobs: they are worked one after the other."""


@dataclass(frozen=True, slots=True)
class Order:
    """Process what is new, or exactly `invoice_ids` (the source's ids); `dry_run`: only say what would come of it."""

    force_processing: bool = False
    invoice_ids: tuple[str, ...] | None = None
    reason: str | None = None
    dry_run: bool = False

    @property
    def size(self) -> int | None:
        """How many invoices it is for, where that is said."""
        return len(self.invoice_ids) if self.invoice_ids else None

    @property
    def fingerprint(self) -> bytes:
        """Equal for orders that ask for the same; a real one's is as it was before there were dry runs."""
        asked = {name: value for name, value in asdict(self).items() if name != "dry_run" or value}
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()


@dataclass(frozen=True, slots=True)
class Placed:
    """An order by somebody at a time: all that its rows (job, idempotency key, audit) need."""

    job_id: UUID
    order: Order
    user: User
    caller: Caller
    at: datetime
    estimated_completion: datetime
    idempotency_key: str | None

    def event(self) -> JobRequested:
        """Raises AssertionError for a dry run: whoever reads a record processes."""
        if self.order.dry_run:
            raise AssertionError("a dry run is never announced")
        return JobRequested(
            job_id=self.job_id,
            job_type=JobType.MANUAL,
            requested_at=self.at,
            triggered_by=self.user.id,
            invoice_ids=self.order.invoice_ids,
            force_processing=self.order.force_processing,
            reason=self.order.reason,
            correlation_id=self.caller.correlation_id,
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """The job that stands for an order; `replayed` when an earlier request with this key made it."""

    job_id: UUID
    estimated_completion: datetime
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Cancellation:
    """How a job stands that somebody wants cancelled; `repeated` when it had been cancelled before."""

    job_id: UUID
    status: str
    cancelled_at: datetime | None
    completed_at: datetime | None
    repeated: bool = False

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def standing(self) -> dict[str, Any]:
        """For a refusal's details."""
        times = {"cancelled_at": self.cancelled_at, "completed_at": self.completed_at}
        return {"status": self.status, **{name: at.isoformat() for name, at in times.items() if at is not None}}


@dataclass(frozen=True, slots=True)
class Failures:
    """What of a job did not go well; `cancelling`: it was cancelled and has not ended yet.

    Nothing fails in a `dry_run`: it would.
    """

    failed: int
    archived: int
    held: int
    cancelling: bool = False
    dry_run: bool = False

    @property
    def total(self) -> int:
        return self.failed + self.archived + self.held


NO_FAILURES = Failures(0, 0, 0)
