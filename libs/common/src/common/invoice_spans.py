"""The spans of invoices: what became of each, in the trace of whoever asked for its job.

An invoice is one span, whose id everybody can tell from the row's, made when the row is; what happens to the invoice
later is below it, whatever process does it and however often. Nothing is stored with a row and nothing is asked for it:
a row knows its job, and the job's row knows the trace. Of an invoice that is not sampled only what goes wrong is told,
directly below the job's own span.
"""

import time
from collections.abc import Sequence
from uuid import UUID

from common.db.job_facts import JobFacts, KnownJobs
from common.invoice.move import Moved
from common.invoice.stage import Stage
from common.observability.spans import Attribute, Span, tracer
from common.observability.tracing import Context, current, new_span, span_of

INVOICE_ID = "clearfacts.invoice.id"
JOB_ID = "clearfacts.job.id"
WENT_WRONG = frozenset({Stage.FAILED, Stage.HELD, Stage.UNKNOWN})


def invoice_context(facts: JobFacts | None, row_id: UUID) -> Context | None:
    """Below which a span of the invoice belongs; not sampled where only errors are to be told."""
    job = facts.context if facts else None
    if job is None:
        return None
    return (
        Context(job.trace, span_of(row_id), sampled=True) if tracer.samples(row_id.int) else job._replace(sampled=False)
    )


class InvoiceSpans:
    """Tells of moves; `service` is who moved the rows."""

    def __init__(self, jobs: KnownJobs, service: str) -> None:
        self._jobs = jobs
        self._service = service

    async def tell(self, moved: Sequence[Moved]) -> None:
        """One span for each row that is sampled or went wrong, from the beginning of the work in hand."""
        if not tracer.on:
            return
        chosen = [m for m in moved if tracer.samples(m.id.int) or m.stage in WENT_WRONG]
        if not chosen:
            return
        await self._jobs.learn({m.job_id for m in chosen})
        ended, batch = time.time_ns(), current.get()
        for m in chosen:
            facts = self._jobs.get(m.job_id)
            if facts is not None and (job := facts.context) is not None:
                tracer.told(self._span(m, job, batch, ended))

    def _span(self, m: Moved, job: Context, batch: Context | None, ended: int) -> Span:
        sampled, born = tracer.samples(m.id.int), m.version == 1
        own = Context(job.trace, span_of(m.id) if born and sampled else new_span(), sampled=True)
        attributes: dict[str, Attribute] = {INVOICE_ID: str(m.id), JOB_ID: str(m.job_id), "clearfacts.stage": m.stage}
        if m.reason is not None:
            attributes["clearfacts.reason"] = m.reason
        return Span(
            f"invoice {m.stage}" if not born else "invoice",
            own,
            span_of(m.id) if sampled and not born else job.span,
            started=created_at_ns(m.id) if born else ended,
            ended=ended,
            attributes=attributes,
            links=(batch,) if batch is not None and batch.sampled else (),
            error=m.reason or m.stage.value if m.stage in WENT_WRONG else None,
        )


def created_at_ns(row_id: UUID) -> int:
    """When the row was made, in nanoseconds since 1970: the first 48 bits of a UUIDv7 (RFC 9562, 5.7)."""
    return (row_id.int >> 80) * 1_000_000
