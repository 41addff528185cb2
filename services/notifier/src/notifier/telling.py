"""The story of one channel, or of all that share a server: tell people what is due until they were told."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeAlias, assert_never

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from notifier.composing import Compose, Interim, Never, Nothing, NotYet, Several
from notifier.domain.channels import (
    QUIET,
    SLACK,
    AtOnce,
    Channels,
    Decision,
    Hold,
    Hours,
    Unwanted,
    decide,
    quiet_until,
)
from notifier.domain.digests import Told
from notifier.domain.message import Message
from notifier.domain.notification import (
    GIVE_UP_AFTER,
    Claim,
    Delivered,
    Kind,
    NotConfigured,
    NotDelivered,
    Refused,
    wait_before,
)
from notifier.ports import Alerting, Messenger, Notifications

log = structlog.get_logger()

NOT_CONFIGURED = "not configured: SLACK_WEBHOOK_URL is not set"
UNWANTED = "not for this channel"
REFUSED = "recipient_refused"
"""The kind of the alert that a recipient's refusal opens, about the channel; the next mail that is taken ends it."""

Decide: TypeAlias = Callable[[Claim, Message], Awaitable[Decision]]


async def at_once(_: Claim, __: Message) -> Decision:
    return AtOnce()


def by_the_hours(channels: Channels, hours: Callable[[], Awaitable[Hours]], clock: Clock = SYSTEM_CLOCK) -> Decide:
    """As each channel is set. A digest that is due waits for the end of quiet hours and for nothing else."""

    async def decided(claim: Claim, message: Message) -> Decision:
        now, valid = clock.now(), await hours()
        if claim.kind is not Kind.DIGEST:
            return decide(channels[claim.channel], message, valid, now)
        until = quiet_until(valid, now)
        return Hold(QUIET, until) if until else AtOnce()

    return decided


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
        decide: Decide = at_once,
        alerts: Alerting | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._notifications = notifications
        self._compose = compose
        self._messenger = messenger
        self._lease = lease
        self._room = (lease - post_timeout).total_seconds()
        self._decide = decide
        self._alerts = alerts
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
            case Several(causes):
                await self._notifications.record_failures(claim, causes)
            case Told(None) as told:
                await self._notifications.mark_digest(claim, told)
            case (Message() | Interim() | Told()) as composed:
                await self._say(claim, composed, post_before)

    async def _say(self, claim: Claim, composed: Message | Interim | Told, post_before: float) -> None:
        message = composed if isinstance(composed, Message) else composed.message
        if message is None:
            raise AssertionError("a digest of nothing is told to nobody")
        match await self._decide(claim, message):
            case Unwanted():
                await self._notifications.abandon(claim, UNWANTED)
            case Hold(why, until) if claim.kind is Kind.DIGEST:
                await self._notifications.postpone(claim, until - self._clock.now(), f"{why} hours")
            case Hold(why, until):
                await self._notifications.hold(claim, why, until)
            case AtOnce():
                if self._clock.monotonic() > post_before:
                    await self._try_later(claim, "the lease was nearly over")
                else:
                    await self._post(claim, composed, message)

    async def _post(self, claim: Claim, composed: Message | Interim | Told, message: Message) -> None:
        delivery = await self._messenger.post(message, claim)
        match delivery:
            case Delivered():
                await self._mark(claim, composed)
                await self._is_taken(claim)
                log.info("people_told", **_subject(claim), attempt=claim.attempt, tone=message.tone)
            case NotDelivered(error, retry_after):
                if retry_after is not None:
                    self._quiet_until = self._clock.monotonic() + retry_after.total_seconds()
                await self._try_later(claim, error, retry_after)
            case Refused(error):
                await self._is_refused(claim, error)
                await self._give_up(claim, error)
            case NotConfigured():
                await self._notifications.abandon(claim, NOT_CONFIGURED)
            case _:
                assert_never(delivery)

    async def _mark(self, claim: Claim, composed: Message | Interim | Told) -> None:
        """What follows is recorded before the mark: an end in between tells twice, never too little."""
        match composed:
            case Interim(message, job_id):
                await self._notifications.record_correction(job_id)
                await self._notifications.mark_sent(claim, message)
            case Told():
                for job_id in composed.unfinished:
                    await self._notifications.record_correction(job_id)
                await self._notifications.mark_digest(claim, composed)
            case Message():
                await self._notifications.mark_sent(claim, composed)

    async def _is_refused(self, claim: Claim, error: str) -> None:
        if self._alerts is not None:
            await self._alerts.open(REFUSED, claim.channel, {"why": error})

    async def _is_taken(self, claim: Claim) -> None:
        """Whoever opened the alert may have been another replica, or this one before its restart."""
        if self._alerts is not None and claim.channel != SLACK:
            await self._alerts.close(REFUSED, claim.channel)

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
    return {"channel": claim.channel, "kind": claim.kind, "subject": claim.subject}
