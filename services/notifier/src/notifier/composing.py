"""What a due notification says: read fresh when it is posted."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias, assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from common.clock import SYSTEM_CLOCK, Clock
from common.errors import PermanentError
from notifier.domain.alerts import write_closed, write_digest, write_opened
from notifier.domain.corrections import PATIENCE, write_correction
from notifier.domain.digests import Told, write_held
from notifier.domain.failures import AT_MOST, OTHERS, Failures, write_failures, write_others
from notifier.domain.message import Message
from notifier.domain.notification import Claim, Kind
from notifier.domain.owners import NOBODY, Owners
from notifier.domain.previews import write_preview
from notifier.domain.still_open import write_open
from notifier.domain.wording import write
from notifier.domain.words import ENGLISH, Words
from notifier.ports import AlertReports, JobReports

NOTHING_OPEN = "nothing is open any more"
AS_BEFORE = "the numbers are as they were told"
NO_ALERT = "there is no such alert"
NO_PREVIEW = "the preview has expired"
NOT_FAILED = "nothing of this cause is failed any more"


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to say any more."""

    why: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """It cannot be said now; `wait` where it is known how long, else as after a failed post."""

    why: str
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """It can never be said."""

    why: str


@dataclass(frozen=True, slots=True)
class Interim:
    """A message after which more has to be told of the same job."""

    message: Message
    job_id: UUID


@dataclass(frozen=True, slots=True)
class Several:
    """A message for each of these causes of failures."""

    causes: Sequence[str]


Composed: TypeAlias = Message | Interim | Told | Several | Nothing | NotYet | Never
Voice: TypeAlias = Callable[[str], Awaitable[Words]]
"""The words of a channel."""


async def english(_: str) -> Words:
    return ENGLISH


async def nothing_held(_: Claim) -> Sequence[Claim]:
    return ()


class Compose:
    def __init__(
        self,
        jobs: JobReports,
        alerts: AlertReports,
        *,
        public_url: str,
        zone: ZoneInfo,
        owners: Owners = NOBODY,
        voice: Voice = english,
        held: Callable[[Claim], Awaitable[Sequence[Claim]]] = nothing_held,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._jobs = jobs
        self._alerts = alerts
        self._public_url = public_url
        self._zone = zone
        self._owners = owners
        self._voice = voice
        self._held = held
        self._clock = clock

    async def __call__(self, claim: Claim) -> Composed:
        words = await self._voice(claim.channel)
        return await self._digest(claim, words) if claim.kind is Kind.DIGEST else await self._said(claim, words)

    async def _said(self, claim: Claim, words: Words) -> Composed:
        try:
            return await self._about(claim, words)
        except PermanentError as error:
            return Never(str(error))

    async def _about(self, claim: Claim, words: Words) -> Composed:  # noqa: PLR0911 - a line for each kind
        match claim.kind:
            case Kind.JOB_FINISHED:
                return await self._finished(claim.id_of_subject, words)
            case Kind.JOB_CORRECTED:
                return await self._corrected(claim, claim.id_of_subject, words)
            case Kind.JOB_STILL_OPEN:
                return await self._still_open(claim, claim.id_of_subject, words)
            case Kind.MORNING_REPORT:
                return await self._still_open(claim, None, words)
            case Kind.ALERT_OPENED | Kind.ALERT_CLOSED:
                return await self._alert(claim, words)
            case Kind.ALERT_DIGEST:
                return await self._alerts_together(claim, words)
            case Kind.JOB_CAUSES | Kind.FAILURES:
                return await self._causes(claim, words)
            case Kind.PREVIEW:
                return await self._preview(claim.id_of_subject, words)
            case Kind.DIGEST:
                return Never("a digest is never part of another")
            case _:
                assert_never(claim.kind)

    async def _digest(self, claim: Claim, words: Words) -> Told:
        """What cannot be said yet is neither told nor dropped."""
        told, dropped, unfinished = list[tuple[UUID, Message]](), list[tuple[UUID, str]](), list[UUID]()
        for held in await self._held(claim):
            match await self._said(held, words):
                case Message() as message:
                    told.append((held.id, message))
                case Interim(message, job_id):
                    told.append((held.id, message))
                    unfinished.append(job_id)
                case Nothing(why) | Never(why):
                    dropped.append((held.id, why))
                case NotYet() | Several() | Told():
                    pass
        messages = [message for _, message in told]
        whole = write_held(claim.subject, messages, self._public_url, self._clock.now(), words) if messages else None
        return Told(whole, told, dropped, unfinished)

    async def _finished(self, job_id: UUID, words: Words) -> Composed:
        report = await self._jobs.read(job_id)
        if report is None:
            return NotYet("there is no such job")
        if not report.finished:
            return NotYet(f"the job is {report.status}")
        return write(report, self._public_url, words, self._owners)

    async def _still_open(self, claim: Claim, job_id: UUID | None, words: Words) -> Composed:
        waiting = await self._jobs.read_open(job_id, claim.created_at)
        if not waiting:
            return Nothing(NOTHING_OPEN)
        return write_open(waiting, job_id, self._public_url, now=self._clock.now(), zone=self._zone, words=words)

    async def _corrected(self, claim: Claim, job_id: UUID, words: Words) -> Composed:
        correction = await self._jobs.read_correction(job_id)
        if correction is None:
            return Nothing("there is no such finished job")
        now = self._clock.now()
        if correction.open and now - claim.created_at < PATIENCE:
            return NotYet(f"{correction.open} are on their way again", timedelta(minutes=1))
        if not correction.changes_anything:
            return Nothing(AS_BEFORE)
        message = write_correction(correction, self._public_url, now, words, self._owners)
        return Interim(message, job_id) if correction.open else message

    async def _alert(self, claim: Claim, words: Words) -> Composed:
        alert = await self._alerts.read(claim.id_of_subject)
        if alert is None:
            return Nothing(NO_ALERT)
        written = write_opened if claim.kind is Kind.ALERT_OPENED else write_closed
        return written(alert, self._public_url, self._zone, words, self._owners)

    async def _alerts_together(self, claim: Claim, words: Words) -> Composed:
        digest = await self._alerts.digest(claim.subject, claim.window, claim.channel)
        if digest is None:
            return Nothing(NO_ALERT)
        return write_digest(digest, self._public_url, self._clock.now(), words, self._owners)

    async def _causes(self, claim: Claim, words: Words) -> Composed:
        """Of a job's causes those that the channel owns, the largest first."""
        job = claim.id_of_subject if claim.kind is Kind.JOB_CAUSES else claim.id_of_window
        found = sorted(await self._jobs.read_failures(job), key=lambda one: (-one.cause.count, one.fingerprint))
        owned = [one for one in found if self._owns(claim.channel, one)]
        if claim.kind is Kind.JOB_CAUSES:
            rest = [OTHERS] if len(owned) > AT_MOST else []
            return Several([one.fingerprint for one in owned[:AT_MOST]] + rest)
        if claim.subject == OTHERS:
            others, at = owned[AT_MOST:], self._clock.now()
            return write_others(others, claim.channel, self._public_url, at, words) if others else Nothing(NOT_FAILED)
        return self._failures(claim, found, words)

    def _failures(self, claim: Claim, found: Sequence[Failures], words: Words) -> Composed:
        one = next((one for one in found if one.fingerprint == claim.subject), None)
        owner = self._owners.of(*one.cause.names, one.fingerprint) if one else None
        if one is None or owner is None:
            return Nothing(NOT_FAILED)
        return write_failures(one, owner, self._public_url, self._clock.now(), words)

    def _owns(self, channel: str, one: Failures) -> bool:
        owner = self._owners.of(*one.cause.names, one.fingerprint)
        return owner is not None and channel in owner.channels

    async def _preview(self, run_id: UUID, words: Words) -> Composed:
        preview = await self._jobs.read_preview(run_id)
        return write_preview(preview, self._public_url, words, self._owners) if preview else Nothing(NO_PREVIEW)
