"""Fakes of the notifier's ports, and a clock that a test owns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from common.clock import Clock
from notifier.domain.alerts import Alert, AlertDigest
from notifier.domain.corrections import Correction
from notifier.domain.digests import Told
from notifier.domain.failures import Failures
from notifier.domain.message import Message
from notifier.domain.notification import Claim, Delivered, Delivery, Kind
from notifier.domain.previews import Preview
from notifier.domain.report import JobReport
from notifier.domain.still_open import Waiting

BRUSSELS = ZoneInfo("Europe/Brussels")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class OwnedTime:
    seconds: float = 0.0

    def clock(self) -> Clock:
        return Clock(now=lambda: NOON + timedelta(seconds=self.seconds), monotonic=lambda: self.seconds)


@dataclass
class Row:
    about: UUID | str | None
    kind: Kind = Kind.JOB_FINISHED
    window: str = ""
    id: UUID = field(default_factory=uuid4)
    due: float = 0.0
    attempts: int = 0
    token: UUID | None = None
    status: str = "waiting"
    error: str | None = None
    message: Message | None = None
    made: float = 0.0
    channel: str = "slack"
    held_for: str | None = None

    @property
    def subject(self) -> str:
        return str(self.about or "jobs")


@dataclass
class FakeNotifications:
    time: OwnedTime
    rows: list[Row] = field(default_factory=list[Row])
    missing: list[UUID] = field(default_factory=list[UUID])
    late: list[UUID] = field(default_factory=list[UUID])
    alerts: list[UUID] = field(default_factory=list[UUID])
    previews: list[UUID] = field(default_factory=list[UUID])
    open_since: datetime | None = None
    """When the first job with open invoices started."""

    async def record(self, job_ids: Sequence[UUID]) -> None:
        for job_id in job_ids:
            self._add(Row(job_id))

    def _add(self, new: Row, due: float | None = None) -> int:
        if (new.channel, new.kind, new.about, new.window) in {
            (row.channel, row.kind, row.about, row.window) for row in self.rows
        }:
            return 0
        new.due = new.made = self.time.seconds if due is None else due
        self.rows.append(new)
        return 1

    async def record_missing(self, within: timedelta) -> int:
        before = len(self.rows)
        await self.record(self.missing)
        return len(self.rows) - before

    async def record_still_open(self, after: timedelta) -> int:
        return sum(self._add(Row(job_id, Kind.JOB_STILL_OPEN)) for job_id in self.late)

    async def record_morning(self, day: date, since: datetime) -> int:
        if self.open_since is None or self.open_since >= since:
            return 0
        return self._add(Row(None, Kind.MORNING_REPORT, day.isoformat()))

    async def record_alerts(self, within: timedelta) -> int:
        return sum(self._add(Row(alert_id, Kind.ALERT_OPENED, "open")) for alert_id in self.alerts)

    async def record_correction(self, job_id: UUID) -> None:
        self._add(Row(job_id, Kind.JOB_CORRECTED, str(self.time.seconds // 600)))

    async def record_corrections(self, within: timedelta) -> int:
        return 0

    async def record_previews(self, within: timedelta) -> int:
        return sum(self._add(Row(run, Kind.PREVIEW, "end")) for run in self.previews)

    async def record_failures(self, claim: Claim, causes: Sequence[str]) -> None:
        for cause in causes:
            self._add(Row(cause, Kind.FAILURES, claim.subject, channel=claim.channel))
        if row := self._held(claim):
            row.status = "sent"

    async def record_left_over(self) -> int:
        windows = {row.held_for for row in self.rows if row.held_for and row.status == "waiting"}
        late = [
            row for row in self.rows if row.kind is Kind.DIGEST and row.window in windows and row.status != "waiting"
        ]
        for row in late:
            row.status, row.due = "waiting", self.time.seconds
        return len(late)

    async def claim(self, lease: timedelta) -> Claim | None:
        for row in self.rows:
            if row.status == "waiting" and row.held_for is None and row.due <= self.time.seconds:
                row.token, row.attempts, row.due = uuid4(), row.attempts + 1, self.time.seconds + lease.total_seconds()
                return self._claim(row, row.token)
        return None

    def _claim(self, row: Row, token: UUID) -> Claim:
        made = NOON + timedelta(seconds=row.made)
        return Claim(row.id, token, row.kind, row.subject, row.attempts, made, row.window, row.channel)

    async def mark_digest(self, claim: Claim, told: Told) -> None:
        for row in self.rows:
            row.status = "sent" if row.id in dict(told.told) else row.status
            row.status = "abandoned" if row.id in dict(told.dropped) else row.status
        if row := self._held(claim):
            row.status, row.message = "sent" if told.message else "abandoned", told.message

    async def hold(self, claim: Claim, why: str, until: datetime) -> None:
        if row := self._held(claim):
            row.held_for = until.isoformat()
            row.attempts -= 1
            self._add(Row(why, Kind.DIGEST, until.isoformat(), channel=row.channel), due=(until - NOON).total_seconds())

    async def held(self, claim: Claim) -> Sequence[Claim]:
        waiting = [row for row in self.rows if row.held_for == claim.window and row.status == "waiting"]
        return [self._claim(row, uuid4()) for row in waiting if row.channel == claim.channel]

    async def mark_sent(self, claim: Claim, message: Message) -> None:
        if row := self._held(claim):
            row.status, row.message = "sent", message

    async def postpone(self, claim: Claim, wait: timedelta, error: str) -> None:
        if row := self._held(claim):
            row.due, row.error = self.time.seconds + wait.total_seconds(), error

    async def abandon(self, claim: Claim, error: str) -> None:
        if row := self._held(claim):
            row.status, row.error = "abandoned", error
            for held in self.rows:
                if row.kind is Kind.DIGEST and held.held_for == row.window and held.status == "waiting":
                    held.status, held.error = "abandoned", error

    def _held(self, claim: Claim) -> Row | None:
        return next((row for row in self.rows if row.id == claim.id and row.token == claim.token), None)


@dataclass
class FakeReports:
    reports: dict[UUID, JobReport | Exception] = field(default_factory=dict[UUID, "JobReport | Exception"])
    waiting: list[Waiting] = field(default_factory=list[Waiting])
    corrections: dict[UUID, Correction] = field(default_factory=dict[UUID, Correction])
    failures: dict[UUID, list[Failures]] = field(default_factory=dict[UUID, list[Failures]])
    previews: dict[UUID, Preview] = field(default_factory=dict[UUID, Preview])

    async def read(self, job_id: UUID) -> JobReport | None:
        found = self.reports.get(job_id)
        if isinstance(found, Exception):
            raise found
        return found

    async def read_correction(self, job_id: UUID) -> Correction | None:
        return self.corrections.get(job_id)

    async def read_open(self, job_id: UUID | None, started_before: datetime) -> Sequence[Waiting]:
        return self.waiting

    async def read_failures(self, job_id: UUID) -> Sequence[Failures]:
        return self.failures.get(job_id, [])

    async def read_preview(self, run_id: UUID) -> Preview | None:
        return self.previews.get(run_id)


@dataclass
class FakeAlerts:
    alerts: dict[UUID, Alert] = field(default_factory=dict[UUID, Alert])
    digests: dict[str, AlertDigest] = field(default_factory=dict[str, AlertDigest])

    async def read(self, alert_id: UUID) -> Alert | None:
        return self.alerts.get(alert_id)

    async def digest(self, kind: str, window: str, channel: str) -> AlertDigest | None:
        return self.digests.get(kind)


@dataclass
class FakeMessenger:
    """Ends posts as it is told, then takes everything."""

    endings: list[Delivery] = field(default_factory=list[Delivery])
    posted: list[Message] = field(default_factory=list[Message])

    async def post(self, message: Message, claim: Claim) -> Delivery:
        self.posted.append(message)
        return self.endings.pop(0) if self.endings else Delivered()
