"""A messenger whose messages about a job are in the trace of that job: wired where tracing is on."""

from uuid import UUID

from common.db.job_facts import KnownJobs
from common.invoice_spans import JOB_ID
from common.observability.spans import Attribute, tracer
from notifier.domain.message import Message
from notifier.domain.notification import Claim, Delivered, Delivery, Kind
from notifier.ports import Messenger

ABOUT_A_JOB = frozenset({Kind.JOB_FINISHED, Kind.JOB_STILL_OPEN, Kind.JOB_CORRECTED})


class TracedMessenger:
    def __init__(self, messenger: Messenger, jobs: KnownJobs) -> None:
        self._messenger = messenger
        self._jobs = jobs

    async def post(self, message: Message, claim: Claim) -> Delivery:
        """What is about no job is posted as ever."""
        if claim.kind not in ABOUT_A_JOB:
            return await self._messenger.post(message, claim)
        job = await self._jobs.context(UUID(claim.subject))
        attributes: dict[str, Attribute] = {
            JOB_ID: claim.subject,
            "clearfacts.channel": claim.channel.partition(":")[0],  # what follows may be a person
            "clearfacts.attempt": claim.attempt,
        }
        with tracer.span(f"tell people: {claim.kind}", parent=job, attributes=attributes) as span:
            delivery = await self._messenger.post(message, claim)
            if span is not None and not isinstance(delivery, Delivered):
                span.error = "not delivered"
        return delivery
