"""What an operator may order, and how two orders are told apart."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from common.contracts.events import JobRequested, JobType
from gateway.domain.access import Caller, User


@dataclass(frozen=True, slots=True)
class Order:
    """Process what is new, or exactly `invoice_ids` (the source's ids)."""

    force_processing: bool = False
    invoice_ids: tuple[str, ...] | None = None
    reason: str | None = None

    @property
    def fingerprint(self) -> bytes:
        """Equal for orders that ask for the same."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).digest()


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
