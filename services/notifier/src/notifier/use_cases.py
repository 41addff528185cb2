"""The stories: remember that a job ended or is still open, and tell people until they were told."""

from collections.abc import Sequence
from datetime import timedelta
from typing import assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.events import JobEvent, JobEventKind
from common.errors import PermanentError
from notifier.domain.notification import (
    GIVE_UP_AFTER,
    Claim,
    Delivered,
    Kind,
    NotConfigured,
    NotDelivered,
    wait_before,
)
from notifier.domain.still_open import SAID_AFTER, morning_of, write_open
from notifier.domain.wording import Message, write
from notifier.ports import JobReports, Messenger, Notifications

log = structlog.get_logger()

FINISHED = frozenset({JobEventKind.COMPLETED, JobEventKind.FAILED})
LOOK_BACK = timedelta(days=3)
NOTHING_OPEN = "nothing is open any more"
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


class RecordOpenJobs:
    """A row for every job that is open for too long, once, and one for every morning on which something is open."""

    def __init__(self, notifications: Notifications, *, zone: ZoneInfo, clock: Clock = SYSTEM_CLOCK) -> None:
        self._notifications = notifications
        self._zone = zone
        self._clock = clock

    async def __call__(self) -> bool:
        """Whether there is something to send."""
        found = await self._notifications.record_still_open(SAID_AFTER)
        now = self._clock.now()
        if now >= (morning := morning_of(now, self._zone)):
            found += await self._notifications.record_morning(morning.date(), morning)
        return bool(found)


class TellPeople:
    """Posts what is due, one after the other; each is claimed before its post and read fresh when it is posted."""

    def __init__(
        self,
        notifications: Notifications,
        reports: JobReports,
        messenger: Messenger,
        *,
        public_url: str,
        zone: ZoneInfo,
        lease: timedelta,
        post_timeout: timedelta,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._notifications = notifications
        self._reports = reports
        self._messenger = messenger
        self._public_url = public_url
        self._zone = zone
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
        if claim.kind is Kind.JOB_FINISHED and claim.job_id:
            message = await self._about_finished(claim, claim.job_id)
        else:
            message = await self._about_open(claim)
        if message is None:
            return
        if self._clock.monotonic() > post_before:
            await self._try_later(claim, "the lease was nearly over")
        else:
            await self._post(claim, message)

    async def _about_finished(self, claim: Claim, job_id: UUID) -> Message | None:
        """None when it cannot be told; the row knows why."""
        try:
            report = await self._reports.read(job_id)
        except PermanentError as error:
            await self._give_up(claim, str(error))
            return None
        if report is None:
            await self._try_later(claim, "there is no such job")
        elif not report.finished:
            await self._try_later(claim, f"the job is {report.status}")
        else:
            return write(report, self._public_url)
        return None

    async def _about_open(self, claim: Claim) -> Message | None:
        """None when nothing is open any more: then there is nothing to say."""
        waiting = await self._reports.read_open(claim.job_id, claim.created_at)
        if not waiting:
            await self._notifications.abandon(claim, NOTHING_OPEN)
            return None
        return write_open(waiting, claim.job_id, self._public_url, now=self._clock.now(), zone=self._zone)

    async def _post(self, claim: Claim, message: Message) -> None:
        delivery = await self._messenger.post(message)
        match delivery:
            case Delivered():
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
    return {"kind": claim.kind, "job_id": str(claim.job_id)} if claim.job_id else {"kind": claim.kind}
