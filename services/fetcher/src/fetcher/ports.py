"""What the fetcher's stories need."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from common.contracts.events import JobEvent, JobRequested
from common.errors import PermanentError, RetryableError
from common.invoice.move import Moved
from fetcher.domain import SourcePage


class SourceUnavailable(RetryableError):
    """The source did not answer, or with a passing error; `details` go to the job (seed, EXTERNAL_API_ERROR)."""

    def __init__(self, message: str, *, endpoint: str, status_code: int | None = None) -> None:
        super().__init__(message)
        self.endpoint = endpoint
        self.status_code = status_code


class SourceRefused(PermanentError):
    """The source will not give this listing, or breaks its contract: asking again gives the same."""

    def __init__(self, message: str, *, endpoint: str, status_code: int | None = None) -> None:
        super().__init__(message)
        self.endpoint = endpoint
        self.status_code = status_code


class LeaseLost(RetryableError):
    """Somebody else works this job now, or it was cancelled: stop, nothing is wrong."""


class Source(Protocol):
    async def page(self, cursor: str | None, *, since: datetime | None, ids: Sequence[str] | None) -> SourcePage:
        """One page. Raises SourceUnavailable or SourceRefused."""
        ...


@dataclass(frozen=True, slots=True)
class LeasedJob:
    """A job in hand: what is left of it to list."""

    id: UUID
    token: UUID
    version: int
    started_now: bool
    cursor: str | None
    page: int
    since: datetime | None
    invoice_ids: tuple[str, ...] | None
    force: bool
    correlation_id: str | None
    traceparent: str | None = None
    """Of whoever asked for it."""


class Leases(Protocol):
    """Due jobs, and keeping them."""

    async def lease(self, limit: int) -> Sequence[LeasedJob]:
        """Take due jobs whose listing is not complete."""
        ...

    async def renew(self, jobs: Sequence[LeasedJob]) -> None:
        """Keep the leases that are still ours."""
        ...


class Listings(Protocol):
    """Listings that cannot go on."""

    async def listing_failed(self, job: LeasedJob, error: dict[str, Any]) -> JobEvent | None:
        """The listing ends here; the job fails once its open rows are done. None when there is nothing to tell."""
        ...


class Jobs(Leases, Listings, Protocol):
    """The `jobs` table, as far as listing goes."""

    async def accept(self, requests: Sequence[JobRequested]) -> None:
        """Make the rows that are not there yet, and wake them."""
        ...


class Pages(Protocol):
    """Recording pages, each in one transaction."""

    async def record(self, job: LeasedJob, page: SourcePage) -> Sequence[Moved]:
        """Write the page, its rows and the job's new cursor. Raises LeaseLost (and nothing was written)."""
        ...

    async def unannounced(self, job: LeasedJob) -> Sequence[Moved]:
        """The rows of the job's last page that nobody has moved: a killed fetcher may not have announced them."""
        ...


class Closing(Protocol):
    """Completing jobs."""

    async def running(self) -> Sequence[UUID]:
        """Jobs that are not ended."""
        ...

    async def write_results(self, job_id: UUID) -> None:
        """Refresh a running job's results."""
        ...

    async def finished(self) -> Sequence[UUID]:
        """Jobs with a complete listing, or cancelled, and no open row."""
        ...

    async def cancel_open(self) -> Sequence[Moved]:
        """Fail rows of cancelled jobs that nobody has in hand; what is being sent ends by itself."""
        ...

    async def end(self, job_id: UUID) -> JobEvent | None:
        """Prove the balance and end the job; None when somebody else did."""
        ...

    async def unannounced(self) -> Sequence[JobEvent]:
        """Ended jobs whose announcement is due again."""
        ...

    async def announced(self, events: Sequence[JobEvent]) -> None:
        """These ends were heard by the broker."""
        ...


class DryRunEnds(Protocol):
    """Ending dry runs, and forgetting them."""

    async def finished(self) -> Sequence[UUID]:
        """Those that are judged, cancelled or late."""
        ...

    async def end(self, run_id: UUID) -> str | None:
        """End one; its status, None when somebody else did."""
        ...

    async def forget(self) -> None:
        """Delete some of what has expired."""
        ...


class Memory(Protocol):
    """Whether the database remembers every sending that anybody knows of (`common.amnesia`)."""

    async def sure(self) -> bool:
        """One comparison as long as no connection is new."""
        ...
