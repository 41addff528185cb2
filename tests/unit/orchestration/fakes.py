"""Fakes of the ports, and time that only a sleep moves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from common.clock import Clock
from common.contracts.events import JobRequested
from common.errors import InfrastructureError, PermanentError
from orchestration.domain import JobState

TWO_AM = datetime(2026, 11, 24, 1, tzinfo=UTC)


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
    """Answers by a function of the time."""

    time: SleepingTime
    answer: Callable[[float], JobState | None]
    down_until: float = 0.0
    refuses: bool = False

    def job(self, job_id: UUID) -> JobState | None:
        if self.refuses:
            raise PermanentError("wrong password")
        if self.time.seconds < self.down_until:
            raise InfrastructureError("gateway: down")
        return self.answer(self.time.seconds)


def done_after(seconds: float, state: JobState, *, row_after: float = 0.0) -> Callable[[float], JobState | None]:
    def answer(now: float) -> JobState | None:
        if now < row_after:
            return None
        return state if now >= seconds else JobState("running")

    return answer
