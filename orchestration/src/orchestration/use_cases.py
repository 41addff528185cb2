"""The story: ask for the job, ask again until its row is there, follow it phase by phase to its end."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.events import JobRequested
from common.errors import InfrastructureError
from orchestration.domain.job import QUIET, JobNotFinished, JobState, Phase, Told, Waits, reached, told_all
from orchestration.ports import Jobs, Trigger

log = structlog.get_logger()

Answer = TypeVar("Answer")

ASK_AGAIN = timedelta(seconds=30)
FIRST_SLICE = 1.0
MISSING = timedelta(seconds=60)
"""A job that is followed and not there for that long was never asked for: an op was started alone."""
LONGEST_SLICE = 5.0
"""A run that is cancelled ends within one slice."""
SHARE = 20
"""A reading pauses for this many times its own cost: counting must never be what the database does."""


class Quietness:
    """Whether nothing has ended for a while, so that a job only waits for retries."""

    def __init__(self, now: float) -> None:
        self._ended, self._since = -1, now

    def lasts(self, state: JobState, now: float) -> bool:
        if state.ended != self._ended or not state.listed:
            self._ended, self._since = state.ended, now
        return now - self._since >= QUIET.total_seconds()


class ProcessInvoices:
    """One run. Callable in any state of the job: a run that takes over from a killed one finds its row and follows.

    `deadline` counts from here on, for all phases together. From `report_at` on a job that only waits for retries is
    not waited for: people are told then, by others.
    """

    def __init__(
        self,
        trigger: Trigger,
        jobs: Jobs,
        *,
        deadline: timedelta,
        report_at: datetime | None = None,
        clock: Clock = SYSTEM_CLOCK,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._trigger = trigger
        self._jobs = jobs
        self._deadline = deadline.total_seconds()
        self._clock = clock
        self._until = clock.monotonic() + self._deadline
        self._report_at = report_at
        self._sleep = sleep
        self._missing_since: float | None = None
        self._cost = 0.0

    def ask(self, event: JobRequested) -> JobState:
        """Until the source is listed. Raises as `follow` does, and nothing of that before the job was asked for."""
        state = self._follow(event.job_id, Phase.LISTED, event)
        return state.state if isinstance(state, Waits) else state

    def follow(self, job_id: UUID, phase: Phase) -> JobState | Waits:
        """How the job stands when it has left `phase` behind, or that it waits for retries only.

        Raises JobFailed, JobNotFinished when the deadline is over or nobody asked for that job, and PermanentError when
        the gateway refuses us: the job then runs unfollowed.
        """
        return self._follow(job_id, phase, None)

    def told(self, job_id: UUID, *, ended: bool, patience: timedelta) -> Sequence[Told]:
        """What people were told, once the message about it has arrived or `patience` is over; empty: nothing yet."""
        until, pause, found = self._clock.monotonic() + patience.total_seconds(), FIRST_SLICE, list[Told]()
        while True:
            try:
                found = list(self._jobs.told(job_id))
            except InfrastructureError as error:
                log.warning("gateway_not_there", job_id=str(job_id), error=str(error))
            if told_all(found, ended=ended) or self._clock.monotonic() >= until:
                return found
            self._sleep(pause)
            pause = min(pause * 1.5, LONGEST_SLICE)

    def answered(self, call: Callable[[], Answer]) -> Answer:
        """What `call` answers, once somebody is there. Raises JobNotFinished when the deadline is over."""
        pause = FIRST_SLICE
        while True:
            try:
                return call()
            except InfrastructureError as error:
                if self._clock.monotonic() >= self._until:
                    raise JobNotFinished(str(error)) from error
                log.warning("gateway_not_there", error=str(error))
            self._sleep(pause)
            pause = min(pause * 1.5, LONGEST_SLICE)

    def _follow(self, job_id: UUID, phase: Phase, event: JobRequested | None) -> JobState | Waits:
        asked_at, quiet, self._missing_since = None, Quietness(self._clock.monotonic()), None
        pause = FIRST_SLICE
        while (now := self._clock.monotonic()) < self._until:
            due = asked_at is None or now - asked_at >= ASK_AGAIN.total_seconds()
            if event is not None and due and self._published(event):
                asked_at = now
            state = self._look(job_id, now) if event is None or asked_at is not None else None
            if state is None and event is None:
                self._give_up_what_is_missing(job_id, now)
            if state is not None:
                event = None
                if reached(state, phase):
                    return state
                if quiet.lasts(state, now) and self._time_to_report():
                    return Waits(state)
            self._rest(max(pause, SHARE * self._cost))
            pause = min(pause * 1.5, LONGEST_SLICE)
        raise JobNotFinished(f"job {job_id} is not finished after {self._deadline:g} s; it goes on without us")

    def _time_to_report(self) -> bool:
        return self._report_at is not None and self._clock.now() >= self._report_at

    def _rest(self, seconds: float) -> None:
        while seconds > 0:
            self._sleep(min(seconds, LONGEST_SLICE))
            seconds -= LONGEST_SLICE

    def _published(self, event: JobRequested) -> bool:
        try:
            self._trigger.publish(event)
        except InfrastructureError as error:
            log.warning("trigger_not_published", job_id=str(event.job_id), error=str(error))
            return False
        log.info("trigger_published", job_id=str(event.job_id))
        return True

    def _look(self, job_id: UUID, now: float) -> JobState | None:
        begun, self._cost = self._clock.monotonic(), 0.0
        try:
            state = self._jobs.progress(job_id)
        except InfrastructureError as error:
            log.warning("gateway_not_there", job_id=str(job_id), error=str(error))
            return None
        self._cost = self._clock.monotonic() - begun if state else 0.0
        self._missing_since = (self._missing_since or now) if state is None else None
        return state

    def _give_up_what_is_missing(self, job_id: UUID, now: float) -> None:
        if self._missing_since is not None and now - self._missing_since >= MISSING.total_seconds():
            raise JobNotFinished(f"there is no job {job_id}: start the whole job, not one op of it")
