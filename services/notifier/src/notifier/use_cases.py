"""The stories of what there is to tell: a job ended, is still open, was corrected; an alert; a look at tonight."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.events import JobEvent, JobEventKind
from notifier.domain.still_open import MORNING, SAID_AFTER, morning_of
from notifier.ports import Notifications

log = structlog.get_logger()

FINISHED = frozenset({JobEventKind.COMPLETED, JobEventKind.FAILED})
LOOK_BACK = timedelta(days=3)
A_NIGHT = timedelta(hours=12)


class RecordFinishedJobs:
    """A row for every job that an event or the sweep calls finished; the post is somebody else's work."""

    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications

    async def __call__(self, events: Sequence[JobEvent]) -> bool:
        """Whether there is something to send."""
        finished = [event.job_id for event in events if event.kind in FINISHED]
        if finished:
            await self._notifications.record(finished)
        return bool(finished)

    async def sweep(self) -> bool:
        """Find the finished jobs of the last days that no event told us about."""
        found = await self._notifications.record_missing(LOOK_BACK)
        if found:
            log.warning("finished_jobs_found_by_sweep", jobs=found)
        return bool(found)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When the morning report comes, and how long after its listing a job that is not over is told about."""

    report_at: time = MORNING
    late_after: timedelta = SAID_AFTER


async def usual_rhythm() -> Rhythm:
    return Rhythm()


class RecordOpenJobs:
    """A row for every job that is open for too long, once, and one for every morning on which something is open."""

    def __init__(
        self,
        notifications: Notifications,
        *,
        zone: ZoneInfo,
        rhythm: Callable[[], Awaitable[Rhythm]] = usual_rhythm,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._notifications = notifications
        self._zone = zone
        self._rhythm = rhythm
        self._clock = clock

    async def __call__(self) -> bool:
        """Whether there is something to send."""
        rhythm = await self._rhythm()
        found = await self._notifications.record_still_open(rhythm.late_after)
        now = self._clock.now()
        if now >= (morning := morning_of(now, self._zone, rhythm.report_at)):
            found += await self._notifications.record_morning(morning.date(), morning)
        return bool(found)


class RecordAlerts:
    """Rows for what opened and for what is over."""

    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications

    async def __call__(self) -> bool:
        """Whether there is something to send."""
        return bool(await self._notifications.record_alerts(LOOK_BACK))


class RecordTheRest:
    """Rows for corrections that only Slack has one for, for what tonight would be, and for what a digest left over."""

    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications

    async def __call__(self) -> bool:
        """Whether there is something to send."""
        found = await self._notifications.record_corrections(LOOK_BACK)
        found += await self._notifications.record_previews(A_NIGHT)
        found += await self._notifications.record_left_over()
        return bool(found)
