"""The story: ask for the job, ask again until its row is there, follow it to its end."""

import time
from collections.abc import Callable
from datetime import timedelta

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.events import JobRequested
from common.errors import InfrastructureError
from orchestration.domain import JobFailed, JobNotFinished, JobState
from orchestration.ports import Gateway, Trigger

log = structlog.get_logger()

ASK_AGAIN = timedelta(seconds=30)
FIRST_SLICE = 1.0
LONGEST_SLICE = 5.0
"""A run that is cancelled ends within one slice."""


class ProcessInvoices:
    """Callable in any state of the job: a run that takes over from a killed one finds its row and only follows."""

    def __init__(
        self,
        trigger: Trigger,
        gateway: Gateway,
        *,
        deadline: timedelta,
        clock: Clock = SYSTEM_CLOCK,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._trigger = trigger
        self._gateway = gateway
        self._deadline = deadline.total_seconds()
        self._clock = clock
        self._sleep = sleep

    def __call__(self, event: JobRequested) -> JobState:
        """How the job ended.

        Raises JobFailed, JobNotFinished when the deadline is over, and PermanentError when the gateway refuses us:
        the job then runs unfollowed. Nothing of this comes before the job was asked for.
        """
        started, asked_at, seen = self._clock.monotonic(), None, False
        pause = FIRST_SLICE
        while (now := self._clock.monotonic()) - started < self._deadline:
            due = asked_at is None or now - asked_at >= ASK_AGAIN.total_seconds()
            if not seen and due and self._published(event):
                asked_at = now
            state = self._look(event) if asked_at is not None else None
            if state is not None:
                seen = True
                if state.finished:
                    return _completed(state)
            self._sleep(pause)
            pause = min(pause * 1.5, LONGEST_SLICE)
        raise JobNotFinished(f"job {event.job_id} is not finished after {self._deadline:g} s; it goes on without us")

    def _published(self, event: JobRequested) -> bool:
        try:
            self._trigger.publish(event)
        except InfrastructureError as error:
            log.warning("trigger_not_published", job_id=str(event.job_id), error=str(error))
            return False
        log.info("trigger_published", job_id=str(event.job_id))
        return True

    def _look(self, event: JobRequested) -> JobState | None:
        try:
            return self._gateway.job(event.job_id)
        except InfrastructureError as error:
            log.warning("gateway_not_there", job_id=str(event.job_id), error=str(error))
            return None


def _completed(state: JobState) -> JobState:
    if state.status == "failed":
        raise JobFailed(state)
    return state
