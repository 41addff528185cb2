"""What the notifier's stories need from outside."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from notifier.domain.notification import Claim, Delivery
from notifier.domain.report import JobReport
from notifier.domain.wording import Message


class Notifications(Protocol):
    """The rows of `notifications`. A claim that somebody else took over changes nothing any more."""

    async def record(self, job_ids: Sequence[UUID]) -> None:
        """One row for each job; a job that has one keeps it."""
        ...

    async def record_missing(self, within: timedelta) -> int:
        """A row for every job that finished `within` and has none; how many there were."""
        ...

    async def claim(self, lease: timedelta) -> Claim | None:
        """The due row that waits longest, for nobody else until the lease ends."""
        ...

    async def mark_sent(self, claim: Claim, message: Message) -> None: ...

    async def postpone(self, claim: Claim, wait: timedelta, error: str) -> None: ...

    async def abandon(self, claim: Claim, error: str) -> None: ...


class JobReports(Protocol):
    async def read(self, job_id: UUID) -> JobReport | None:
        """The job as it stands now, None when there is no such row. Raises PermanentError when it makes no sense."""
        ...


class Messenger(Protocol):
    async def post(self, message: Message) -> Delivery: ...
