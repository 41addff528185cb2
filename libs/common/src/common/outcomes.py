"""Telling what moved: the announcements of new stages, and clearing the timer of an end that everybody heard."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.events import InvoiceFetched, InvoiceOutcome, InvoiceValidated
from common.contracts.topics import Topic
from common.db.job_facts import KnownJobs
from common.db.moves import clear_wake
from common.db.pool import Database
from common.errors import ClearfactsError
from common.invoice.move import Moved
from common.invoice.stage import OUTCOMES, WORKED_WHILE_HELD, Stage
from common.invoice_spans import InvoiceSpans
from common.kafka.announcing import Announcer
from common.observability import metrics

log = structlog.get_logger()


class MoveAnnouncer:
    """Announces moved rows on the topic of their new stage; the third party to `apply_moves` and the handler."""

    def __init__(
        self,
        announcer: Announcer,
        database: Database,
        *,
        service: str,
        jobs: KnownJobs | None = None,
        clear_every: timedelta | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """With `clear_every` the timers of announced ends are cleared together, by `run`, and by `clear` at the end."""
        self._clear_every = clear_every
        self._heard: list[tuple[UUID, int]] = []
        self._clock = clock
        self._announcer = announcer
        self._database = database
        self._service = service
        self._jobs = jobs or KnownJobs(database)
        self._spans = InvoiceSpans(self._jobs, service)

    async def announce(self, moved: Sequence[Moved]) -> None:
        """Raises InfrastructureError when not every announcement was acknowledged; saying it again is harmless."""
        fetched = [InvoiceFetched(id=m.id, version=m.version) for m in moved if m.stage is Stage.FETCHED]
        validated = [InvoiceValidated(id=m.id, version=m.version) for m in moved if m.stage is Stage.VALIDATED]
        ended = [m for m in moved if m.stage in OUTCOMES]
        for topic, events in (
            (Topic.INVOICES_FETCHED, fetched),
            (Topic.INVOICES_VALIDATED, validated),
            (Topic.INVOICES_OUTCOMES, [outcome(m) for m in ended]),
        ):
            if events:
                await self._announcer.announce(topic, events)
        await self._jobs.learn({m.job_id for m in ended})
        self._count(moved)
        await self._spans.tell(moved)
        self._heard += [(m.id, m.version) for m in ended if m.reason not in WORKED_WHILE_HELD]
        if self._clear_every is None:
            await self.clear()

    async def clear(self) -> None:
        """Clear the timers of what was announced; one that stays set costs a second announcement, no more."""
        heard, self._heard = self._heard, []
        async with self._database.connection() as connection:
            await clear_wake(connection, heard)

    async def run(self) -> None:
        """Clear every `clear_every` until cancelled."""
        while self._clear_every is not None:
            await asyncio.sleep(self._clear_every.total_seconds())
            try:
                await self.clear()
            except ClearfactsError as error:
                log.warning("timers_not_cleared", error=str(error))

    def _count(self, moved: Sequence[Moved]) -> None:
        now = self._clock.now().timestamp()
        for (stage, reason), number in Counter((m.stage, m.reason or "") for m in moved).items():
            metrics.INVOICES_PROCESSED.labels(self._service, stage, reason).inc(number)
        seconds = {stage: metrics.INVOICE_SECONDS.labels(stage) for stage in {m.stage for m in moved}}
        for m in moved:
            seconds[m.stage].observe(max(0.0, now - created_at(m.id)))
            if m.stage in OUTCOMES:
                if facts := self._jobs.get(m.job_id):
                    metrics.END_TO_END_SECONDS.labels(m.stage).observe(max(0.0, now - facts.requested_at))
            elif m.reason is not None:
                metrics.RETRIES.labels(self._service, m.reason).inc()


def created_at(row_id: UUID) -> float:
    """When the row was made, in seconds since 1970: the first 48 bits of a UUIDv7 (RFC 9562, 5.7)."""
    return (row_id.int >> 80) / 1000


def outcome(moved: Moved) -> InvoiceOutcome:
    """The announcement of an end, or of a claim (`sending`)."""
    return InvoiceOutcome(
        id=moved.id,
        version=moved.version,
        stage="claimed" if moved.stage is Stage.SENDING else moved.stage.value,  # pyright: ignore[reportArgumentType]
        reason=moved.reason,
        job_id=moved.job_id,
        source_id=moved.source_id,
        dossier=moved.dossier,
        dedupe_key=moved.dedupe_key,
        generation=moved.generation,
        content_sha256=moved.content_sha256.hex() if moved.content_sha256 else None,
        reference=moved.reference,
        attempt=moved.attempt,
        uuid=moved.uuid,
    )
