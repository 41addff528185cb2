"""Why a job failed, as its row, the API and the notifier say it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class JobErrorCode(StrEnum):
    """What stands in `jobs.error.code`. Stable: callers may decide by it."""

    EXTERNAL_API_ERROR = "EXTERNAL_API_ERROR"
    PAGE_NOT_RECORDED = "PAGE_NOT_RECORDED"
    BALANCE_BROKEN = "BALANCE_BROKEN"
    CANCELLED = "CANCELLED"
    INVALID_REQUEST = "INVALID_REQUEST"
    DRY_RUN_TIMED_OUT = "DRY_RUN_TIMED_OUT"
    DRY_RUN_TOO_LARGE = "DRY_RUN_TOO_LARGE"


@dataclass(frozen=True, slots=True)
class ExternalCall:
    """A call outward that failed. No `status_code`: no answer; no `next_retry_at`: nothing tries again by itself."""

    api_endpoint: str
    status_code: int | None
    retry_count: int
    next_retry_at: datetime | None = None

    @property
    def details(self) -> dict[str, Any]:
        """The details of EXTERNAL_API_ERROR, as JSON has them."""
        at = self.next_retry_at
        return {
            "api_endpoint": self.api_endpoint,
            "status_code": self.status_code,
            "retry_count": self.retry_count,
            "next_retry_at": at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None,
        }
