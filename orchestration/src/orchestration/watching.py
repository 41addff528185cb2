"""The watch over the night: it speaks only where no job can, and until it was heard."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.errors import InfrastructureError, PermanentError
from orchestration.domain.night import Memory, Night, Trouble, heard, not_heard, trouble_of
from orchestration.domain.trigger import job_id_of
from orchestration.ports import Runs, Voice, Watched

log = structlog.get_logger()

KIND = "night_missing"
_LATEST = 20


class WatchTheNight:
    """Asked again and again with what it remembered: whatever was not taken is tried again the next time."""

    def __init__(
        self,
        gateway: Watched,
        runs: Runs,
        voice: Voice,
        *,
        late_after: timedelta,
        patience: timedelta,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._gateway = gateway
        self._runs = runs
        self._voice = voice
        self._late_after = late_after
        self._patience = patience
        self._clock = clock

    def __call__(self, night: Night, memory: Memory) -> Memory:
        """What to remember. A night from before the watch began is nobody's business."""
        try:
            if night.due_at >= memory.watching_since:
                memory = self._look_at(night, memory)
            else:
                self._gateway.progress(job_id_of(night.key))  # whether it answers at all
        except (InfrastructureError, PermanentError) as error:
            log.warning("night_not_watched", error=str(error))
            now = self._clock.now()
            silent, text = not_heard(memory, str(error), now=now, patience=self._patience)
            return self._said(silent, text, lambda: replace(silent, said=True))
        answering, text = heard(memory)
        return self._said(memory, text, lambda: answering) if text else answering

    def _look_at(self, night: Night, memory: Memory) -> Memory:
        job = self._gateway.progress(job_id_of(night.key))
        if job is not None and job.finished:
            return self._close(memory)
        runs = self._runs.of(night)
        trouble = trouble_of(night, runs, job, now=self._clock.now(), late_after=self._late_after)
        if (trouble or memory.opened) and self._made_up(night):
            return self._close(memory)
        if trouble is None or night.key in memory.opened:
            return memory
        return self._open(night, trouble, memory)

    def _made_up(self, night: Night) -> bool:
        """Whether somebody's own job has listed since then what this night should have."""
        for job in self._gateway.jobs(scheduled=False, limit=_LATEST):
            if job.status == "completed" and job.created_at >= night.due_at:
                whole = self._gateway.job(job.job_id)
                if whole is not None and whole.everything:
                    return True
        return False

    def _open(self, night: Night, trouble: Trouble, memory: Memory) -> Memory:
        self._gateway.open_alert(KIND, night.key, severity=trouble.severity, why=trouble.why, do=trouble.do)
        log.warning("night_missing", night=night.key, why=trouble.why)
        return replace(memory, opened={**memory.opened, night.key: trouble.why})

    def _close(self, memory: Memory) -> Memory:
        """Also the alerts of earlier nights: this job has listed what those did not."""
        if not memory.opened:
            return memory
        self._gateway.close_alerts(KIND, list(memory.opened), reason="a job has finished")
        return replace(memory, opened={})

    def _said(self, before: Memory, text: str | None, after: Callable[[], Memory]) -> Memory:
        """`after` once the text was taken, `before` while it is not: then it is said again the next time."""
        if text is None:
            return before
        try:
            self._voice.say(text)
        except InfrastructureError as error:
            log.warning("not_said", error=str(error))
            return before
        return after()
