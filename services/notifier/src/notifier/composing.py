"""What a due notification says: read fresh when it is posted."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias, assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from common.clock import SYSTEM_CLOCK, Clock
from common.errors import PermanentError
from notifier.domain.alerts import write_closed, write_digest, write_opened
from notifier.domain.corrections import PATIENCE, write_correction
from notifier.domain.notification import Claim, Kind
from notifier.domain.still_open import write_open
from notifier.domain.wording import Message, write
from notifier.ports import AlertReports, JobReports

NOTHING_OPEN = "nothing is open any more"
AS_BEFORE = "the numbers are as they were told"
NO_ALERT = "there is no such alert"


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


Composed: TypeAlias = Message | Interim | Nothing | NotYet | Never


class Compose:
    def __init__(
        self,
        jobs: JobReports,
        alerts: AlertReports,
        *,
        public_url: str,
        zone: ZoneInfo,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._jobs = jobs
        self._alerts = alerts
        self._public_url = public_url
        self._zone = zone
        self._clock = clock

    async def __call__(self, claim: Claim) -> Composed:
        try:
            return await self._about(claim)
        except PermanentError as error:
            return Never(str(error))

    async def _about(self, claim: Claim) -> Composed:
        match claim.kind:
            case Kind.JOB_FINISHED:
                return await self._finished(claim.id_of_subject)
            case Kind.JOB_CORRECTED:
                return await self._corrected(claim, claim.id_of_subject)
            case Kind.JOB_STILL_OPEN:
                return await self._still_open(claim, claim.id_of_subject)
            case Kind.MORNING_REPORT:
                return await self._still_open(claim, None)
            case Kind.ALERT_OPENED | Kind.ALERT_CLOSED:
                return await self._alert(claim)
            case Kind.ALERT_DIGEST:
                digest = await self._alerts.digest(claim.subject, claim.window)
                return write_digest(digest, self._public_url, self._clock.now()) if digest else Nothing(NO_ALERT)
            case _:
                assert_never(claim.kind)

    async def _finished(self, job_id: UUID) -> Composed:
        report = await self._jobs.read(job_id)
        if report is None:
            return NotYet("there is no such job")
        return write(report, self._public_url) if report.finished else NotYet(f"the job is {report.status}")

    async def _still_open(self, claim: Claim, job_id: UUID | None) -> Composed:
        waiting = await self._jobs.read_open(job_id, claim.created_at)
        if not waiting:
            return Nothing(NOTHING_OPEN)
        return write_open(waiting, job_id, self._public_url, now=self._clock.now(), zone=self._zone)

    async def _corrected(self, claim: Claim, job_id: UUID) -> Composed:
        correction = await self._jobs.read_correction(job_id)
        if correction is None:
            return Nothing("there is no such finished job")
        now = self._clock.now()
        if correction.open and now - claim.created_at < PATIENCE:
            return NotYet(f"{correction.open} are on their way again", timedelta(minutes=1))
        if not correction.changes_anything:
            return Nothing(AS_BEFORE)
        message = write_correction(correction, self._public_url, now)
        return Interim(message, job_id) if correction.open else message

    async def _alert(self, claim: Claim) -> Composed:
        alert = await self._alerts.read(claim.id_of_subject)
        if alert is None:
            return Nothing(NO_ALERT)
        written = write_opened if claim.kind is Kind.ALERT_OPENED else write_closed
        return written(alert, self._public_url, self._zone)
