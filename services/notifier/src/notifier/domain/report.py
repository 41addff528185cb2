"""What is known of a finished job when its message is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

Amounts = Mapping[str, Decimal]
"""By currency code."""


@dataclass(frozen=True, slots=True)
class Cause:
    """How many invoices of the job stand in `status` (failed or held) for one reason."""

    status: str
    reason: str
    code: str | None
    """The rule that an invalid document broke, or the code with which the destination refused it."""
    count: int

    @property
    def names(self) -> Sequence[str]:
        """What an owner's prefix is compared with."""
        return (self.reason, self.code) if self.code else (self.reason,)


@dataclass(frozen=True, slots=True)
class Counts:
    total: int = 0
    sent: int = 0
    failed: int = 0
    duplicates: int = 0
    held: int = 0
    open: int = 0

    @property
    def buckets(self) -> Sequence[tuple[str, int]]:
        """Where an invoice ends, in the order in which it is said."""
        return ("sent", self.sent), ("duplicate", self.duplicates), ("failed", self.failed), ("held", self.held)

    @property
    def adds_up(self) -> bool:
        """Every listed invoice is in exactly one bucket, and none is on its way."""
        return not self.open and self.total == self.sent + self.failed + self.duplicates + self.held


@dataclass(frozen=True, slots=True)
class JobReport:
    """`counts` is None when the job ended before anything could be counted."""

    job_id: UUID
    job_type: str
    status: str
    started_at: datetime | None
    completed_at: datetime | None
    cancelled: bool = False
    error_code: str | None = None
    error_message: str | None = None
    counts: Counts | None = None
    amounts: Mapping[str, Amounts] = field(default_factory=dict[str, Amounts])
    """By bucket: sent, failed, duplicate, held."""
    causes: Sequence[Cause] = ()

    @property
    def finished(self) -> bool:
        return self.status in {"completed", "failed"}

    @property
    def balance_broken(self) -> bool:
        return self.status == "failed" and (self.error_message or "").lower().startswith("balance broken")
