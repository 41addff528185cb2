"""The stories: remember that a job ended or is still open, and tell people until they were told."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.events import JobEvent, JobEventKind
from notifier.composing import Compose, Interim, Never, Nothing, NotYet
from notifier.domain.notification import (
    GIVE_UP_AFTER,
    Claim,
    Delivered,
    NotConfigured,
    NotDelivered,
    wait_before,
)
from notifier.domain.still_open import MORNING, SAID_AFTER, morning_of
from notifier.domain.wording import Message
from notifier.ports import Messenger, Notifications

log = structlog.get_logger()

FINISHED = frozenset({JobEventKind.COMPLETED, JobEventKind.FAILED})
LOOK_BACK = timedelta(days=3)
NOT_CONFIGURED = "not configured: SLACK_WEBHOOK_URL is not set"


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


class TellPeople:
    """Posts what is due, one after the other; each is claimed before its post and composed when it is posted."""

    def __init__(
        self,
        notifications: Notifications,
        compose: Compose,
        messenger: Messenger,
        *,
        lease: timedelta,
        post_timeout: timedelta,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._notifications = notifications
        self._compose = compose
        self._messenger = messenger
        self._lease = lease
        self._room = (lease - post_timeout).total_seconds()
        self._clock = clock
        self._quiet_until = 0.0

    async def __call__(self) -> None:
        """Post until nothing is due, or until the channel asks for silence."""
        while (now := self._clock.monotonic()) >= self._quiet_until:
            claim = await self._notifications.claim(self._lease)
            if claim is None:
                return
            await self._tell(claim, post_before=now + self._room)

    async def _tell(self, claim: Claim, *, post_before: float) -> None:
        match await self._compose(claim):
            case Nothing(why):
                await self._notifications.abandon(claim, why)
            case Never(why):
                await self._give_up(claim, why)
            case NotYet(why, wait):
                await self._try_later(claim, why, wait)
            case Message() | Interim() as composed:
                if self._clock.monotonic() > post_before:
                    await self._try_later(claim, "the lease was nearly over")
                else:
                    await self._post(claim, composed)

    async def _post(self, claim: Claim, composed: Message | Interim) -> None:
        message = composed.message if isinstance(composed, Interim) else composed
        delivery = await self._messenger.post(message)
        match delivery:
            case Delivered():
                if isinstance(composed, Interim):  # before the mark: an end in between tells twice, never too little
                    await self._notifications.record_correction(composed.job_id)
                await self._notifications.mark_sent(claim, message)
                log.info("people_told", **_subject(claim), attempt=claim.attempt, tone=message.tone)
            case NotDelivered(error, retry_after):
                if retry_after is not None:
                    self._quiet_until = self._clock.monotonic() + retry_after.total_seconds()
                await self._try_later(claim, error, retry_after)
            case NotConfigured():
                await self._notifications.abandon(claim, NOT_CONFIGURED)
            case _:
                assert_never(delivery)

    async def _try_later(self, claim: Claim, error: str, floor: timedelta | None = None) -> None:
        if self._clock.now() - claim.created_at > GIVE_UP_AFTER[claim.kind]:
            await self._give_up(claim, error)
            return
        wait = wait_before(claim.attempt, floor)
        await self._notifications.postpone(claim, wait, error)
        log.warning("people_not_told_yet", **_subject(claim), attempt=claim.attempt,
                    again_in=wait.total_seconds(), error=error)  # fmt: skip

    async def _give_up(self, claim: Claim, error: str) -> None:
        await self._notifications.abandon(claim, error)
        log.error("people_never_told", **_subject(claim), attempts=claim.attempt, error=error)


def _subject(claim: Claim) -> dict[str, str]:
    return {"kind": claim.kind, "subject": claim.subject}
