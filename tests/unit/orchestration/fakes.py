"""Fakes of the ports, and time that only a sleep moves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from common.clock import Clock
from common.contracts.events import JobRequested
from common.errors import InfrastructureError, PermanentError
from orchestration.domain.job import JobGlance, JobState, Told
from orchestration.domain.night import Night, Run, Severity
from orchestration.domain.preflight import Standing
from orchestration.domain.trigger import Order

TWO_AM = datetime(2026, 11, 24, 1, tzinfo=UTC)
WELL = Standing(broken={}, paused=(), lag={}, outside=())


@dataclass
class SleepingTime:
    seconds: float = 0.0
    slices: list[float] = field(default_factory=list[float])

    def clock(self) -> Clock:
        return Clock(now=lambda: TWO_AM + timedelta(seconds=self.seconds), monotonic=lambda: self.seconds)

    def sleep(self, seconds: float) -> None:
        self.slices.append(seconds)
        self.seconds += seconds


@dataclass
class FakeTrigger:
    time: SleepingTime
    down_until: float = 0.0
    published: list[tuple[float, JobRequested]] = field(default_factory=list[tuple[float, JobRequested]])

    def publish(self, event: JobRequested) -> None:
        if self.time.seconds < self.down_until:
            raise InfrastructureError("kafka: down")
        self.published.append((self.time.seconds, event))


@dataclass
class FakeGateway:
    """Answers for every job by a function of the time; a dry run ends at once."""

    time: SleepingTime
    answer: Callable[[float], JobState | None]
    down_until: float = 0.0
    refuses: bool = False
    messages: list[Told] = field(default_factory=list[Told])
    told_from: float = 0.0
    listed: list[JobGlance] = field(default_factory=list[JobGlance])
    alerts: dict[tuple[str, str], tuple[Severity, str]] = field(
        default_factory=dict[tuple[str, str], tuple[Severity, str]]
    )
    dry_runs: dict[str, tuple[UUID, Order]] = field(default_factory=dict[str, tuple[UUID, Order]])
    stands: Standing = WELL
    others: dict[UUID, JobState] = field(default_factory=dict[UUID, JobState])
    rehearsed: JobState = field(default_factory=lambda: JobState("completed", preview={"would_go": 2}))

    def _there(self) -> None:
        if self.refuses:
            raise PermanentError("wrong password")
        if self.time.seconds < self.down_until:
            raise InfrastructureError("gateway: down")

    def progress(self, job_id: UUID) -> JobState | None:
        self._there()
        if job_id in {known for known, _ in self.dry_runs.values()}:
            return self.rehearsed
        return self.answer(self.time.seconds)

    def job(self, job_id: UUID) -> JobState | None:
        return self.others[job_id] if job_id in self.others else self.progress(job_id)

    def told(self, job_id: UUID) -> Sequence[Told]:
        self._there()
        return self.messages if self.time.seconds >= self.told_from else []

    def jobs(self, *, scheduled: bool, limit: int) -> Sequence[JobGlance]:
        self._there()
        return [job for job in self.listed if not scheduled or job.job_type == "scheduled"][:limit]

    def dry_run(self, order: Order, key: str) -> UUID:
        self._there()
        return self.dry_runs.setdefault(key, (uuid4(), order))[0]

    def open_alert(self, kind: str, subject: str, *, severity: Severity, why: str, do: str) -> None:
        self._there()
        self.alerts.setdefault((kind, subject), (severity, f"{why}; {do}"))

    def close_alerts(self, kind: str, subjects: Sequence[str], *, reason: str) -> None:
        self._there()
        for subject in subjects:
            self.alerts.pop((kind, subject), None)

    def standing(self) -> Standing:
        self._there()
        return self.stands


@dataclass
class FakeVoice:
    said: list[str] = field(default_factory=list[str])
    dumb: bool = False

    def say(self, text: str) -> None:
        if self.dumb:
            raise InfrastructureError("slack: answered 500")
        self.said.append(text)


@dataclass
class FakeRuns:
    runs: list[Run] = field(default_factory=list[Run])

    def of(self, night: Night) -> Sequence[Run]:
        return self.runs


def message(kind: str = "job_finished", status: str = "sent") -> Told:
    return Told("slack", kind, status, 1, TWO_AM if status == "sent" else None, None)


def done_after(seconds: float, state: JobState, *, row_after: float = 0.0) -> Callable[[float], JobState | None]:
    def answer(now: float) -> JobState | None:
        if now < row_after:
            return None
        return state if now >= seconds else JobState("running")

    return answer


def waiting_from(seconds: float, *, open_: int, total: int = 10) -> Callable[[float], JobState | None]:
    """A job that is listed at once, and in which nothing ends after `seconds`."""

    def answer(now: float) -> JobState | None:
        ended = int((total - open_) * min(1.0, now / seconds))
        return JobState(
            "running",
            {"total_invoices": total, "processed": ended, "open": total - ended},
            listed=True,
            stages={"validated": total - ended, "sent": ended},
        )

    return answer
