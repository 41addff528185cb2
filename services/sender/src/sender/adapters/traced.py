"""A destination whose deliveries are spans, each below its invoice's own: wired where tracing is on."""

import time
from datetime import timedelta
from uuid import UUID

from common.db.job_facts import KnownJobs
from common.invoice_spans import INVOICE_ID, JOB_ID, invoice_context
from common.observability.ecs import told
from common.observability.spans import Attribute, Kind, Span, tracer
from common.observability.tracing import Context, new_span
from sender.domain import Accepted, Claim, Delivery, NotAccepted, OutcomeUnknown, Refused
from sender.domain.evidence import Evidence
from sender.ports import Destination


class TracedDestination:
    def __init__(self, destination: Destination, jobs: KnownJobs) -> None:
        self._destination = destination
        self._jobs = jobs

    @property
    def lookup(self) -> bool:
        return self._destination.lookup

    @property
    def idempotency_key(self) -> timedelta | None:
        return self._destination.idempotency_key

    async def find(self, reference: UUID) -> Evidence:
        return await self._destination.find(reference)

    async def deliver(self, claim: Claim) -> Delivery:
        """Of a delivery that is not sampled a span is told where it was not accepted.

        Nothing is waited for but the destination: the lease was looked at just before, and an answer is to be settled.
        """
        if tracer.samples(claim.id.int):
            above = invoice_context(self._jobs.get(claim.job_id), claim.id)
            with tracer.span("send", parent=above, attributes=_attributes(claim)) as span:
                delivery = await self._destination.deliver(claim)
                if span is not None:
                    span.error = _error(delivery)
            return delivery
        began = time.time_ns()
        delivery = await self._destination.deliver(claim)
        if not isinstance(delivery, Accepted):
            self._tell(claim, delivery, began)
        return delivery

    def _tell(self, claim: Claim, delivery: Delivery, began: int) -> None:
        facts = self._jobs.get(claim.job_id)
        if facts is not None and (job := facts.context) is not None:
            own = Context(job.trace, new_span(), sampled=True)
            span = Span(
                "send", own, job.span, Kind.INTERNAL, began, time.time_ns(), _attributes(claim), error=_error(delivery)
            )
            tracer.told(span)


def _attributes(claim: Claim) -> dict[str, Attribute]:
    return {INVOICE_ID: str(claim.id), JOB_ID: str(claim.job_id), "clearfacts.attempt": claim.attempt}


def _error(delivery: Delivery) -> str | None:
    match delivery:
        case Accepted():
            return None
        case Refused(code=code):
            return f"refused: {told(code)}"
        case NotAccepted(why=why):
            return f"not accepted: {told(why)}"
        case OutcomeUnknown(why=why):
            return f"unknown: {told(why)}"
