"""What the notifier's stories need from outside."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from notifier.domain.alerts import Alert, AlertDigest
from notifier.domain.corrections import Correction
from notifier.domain.digests import Told
from notifier.domain.failures import Failures
from notifier.domain.message import Message
from notifier.domain.notification import Claim, Delivery
from notifier.domain.previews import Preview
from notifier.domain.report import JobReport
from notifier.domain.still_open import Waiting


class Notifications(Protocol):
    """The rows of `notifications` of some channels: what is recorded is recorded for each of them.

    A claim that somebody else took over changes nothing any more.
    """

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

    async def record_corrections(self, within: timedelta) -> int:
        """What Slack is told of corrections `within`, for the other channels; how many rows are new."""
        ...

    async def record_previews(self, within: timedelta) -> int:
        """A row for each scheduled dry run that ended `within` and has none; how many there were."""
        ...

    async def record_failures(self, claim: Claim, causes: Sequence[str]) -> None:
        """A row for each cause, by fingerprint, that the channel was not told of since yesterday; the claim is over."""
        ...

    async def record_left_over(self) -> int:
        """Due again: digests that are over and for which something is held nevertheless."""
        ...

    async def claim(self, lease: timedelta) -> Claim | None:
        """The due row that waits longest, for nobody else until the lease ends."""
        ...

    async def mark_sent(self, claim: Claim, message: Message) -> None: ...

    async def mark_digest(self, claim: Claim, told: Told) -> None:
        """The digest is over, with all that it told or had no need to tell."""
        ...

    async def hold(self, claim: Claim, why: str, until: datetime) -> None:
        """It is part of the digest of `until`, which has a row then."""
        ...

    async def held(self, claim: Claim) -> Sequence[Claim]:
        """What is held for this digest, the oldest first. They are not to be posted with these claims."""
        ...

    async def postpone(self, claim: Claim, wait: timedelta, error: str) -> None: ...

    async def abandon(self, claim: Claim, error: str) -> None:
        """Of a digest also what is held for it."""
        ...


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

    async def read_failures(self, job_id: UUID) -> Sequence[Failures]:
        """The failed invoices of a job by cause, as they stand now."""
        ...

    async def read_preview(self, run_id: UUID) -> Preview | None:
        """None when it has expired."""
        ...


class AlertReports(Protocol):
    async def read(self, alert_id: UUID) -> Alert | None: ...

    async def digest(self, kind: str, window: str, channel: str) -> AlertDigest | None:
        """The alerts of `kind` that the window's rows of a channel left to a digest."""
        ...


class Messenger(Protocol):
    async def post(self, message: Message, claim: Claim) -> Delivery: ...


class Alerting(Protocol):
    """Asks for a person. Opening what is open, or closing what is not, changes nothing."""

    async def open(self, kind: str, subject: str, details: Mapping[str, Any]) -> None: ...

    async def close(self, kind: str, subject: str) -> None: ...
