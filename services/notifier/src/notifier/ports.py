"""What the notifier's stories need from outside."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from notifier.domain.alerts import Alert, AlertDigest
from notifier.domain.corrections import Correction
from notifier.domain.notification import Claim, Delivery
from notifier.domain.report import JobReport
from notifier.domain.still_open import Waiting
from notifier.domain.wording import Message


class Notifications(Protocol):
    """The rows of `notifications`. A claim that somebody else took over changes nothing any more."""

    async def record(self, job_ids: Sequence[UUID]) -> None:
        """One row for each job; a job that has one keeps it."""
        ...

    async def record_missing(self, within: timedelta) -> int:
        """A row for every job that finished `within` and has none; how many there were."""
        ...

    async def record_still_open(self, after: timedelta) -> int:
        """A row for every job with open invoices whose listing ended longer than `after` ago and that has none."""
        ...

    async def record_morning(self, day: date, since: datetime) -> int:
        """The row of `day` when it has none and a job that started before `since` has open invoices."""
        ...

    async def record_alerts(self, within: timedelta) -> int:
        """Rows for the alerts that opened `within`, or are open, and for their ends; how many are new."""
        ...

    async def record_correction(self, job_id: UUID) -> None:
        """The row of a correction in the window that begins now; one that is there stays as it is."""
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

    async def read_correction(self, job_id: UUID) -> Correction | None:
        """A finished job as it stands now and as it was told, None when there is no such. Raises PermanentError."""
        ...

    async def read_open(self, job_id: UUID | None, started_before: datetime) -> Sequence[Waiting]:
        """The open invoices as they stand now, of one job or of every running job that started before."""
        ...


class AlertReports(Protocol):
    async def read(self, alert_id: UUID) -> Alert | None: ...

    async def digest(self, kind: str, window: str) -> AlertDigest | None:
        """The alerts of `kind` that the window's rows left to a digest."""
        ...


class Messenger(Protocol):
    async def post(self, message: Message) -> Delivery: ...
