"""A delivery is a span, and tracing never stands between the last look at the lease and the first byte."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from common.db.job_facts import JobFacts, KnownJobs
from common.observability.spans import Span, tracer
from common.observability.tracing import Context, span_of
from sender.adapters.traced import TracedDestination
from sender.domain import Accepted, Delivery, OutcomeUnknown
from tests.unit.sender.fakes import FakeDestination, make_claim

JOB = Context("0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7", sampled=True)
CLAIM = replace(make_claim(), job_id=uuid4())


@pytest.fixture
def told() -> Iterator[list[Span]]:
    spans: list[Span] = []
    tracer.use(spans.append, ratio=1.0)
    yield spans
    tracer.use(None)


class Jobs(KnownJobs):
    """Knows the jobs of `known`; nothing may be asked for."""

    def __init__(self, *known: UUID | None) -> None:
        self._traced = known

    async def learn(self, job_ids: object) -> None:
        raise AssertionError(f"asked for {job_ids}")

    def get(self, job_id: UUID | None) -> JobFacts | None:
        return JobFacts(0.0, JOB.traceparent) if job_id in self._traced else None


async def delivered(answer: Delivery, *known: UUID | None) -> Delivery:
    return await TracedDestination(FakeDestination(lambda _: answer), Jobs(*known)).deliver(CLAIM)


@pytest.mark.parametrize(("answer", "error"), [(Accepted("u", {}), None), (OutcomeUnknown("reset"), "unknown: reset")])
async def test_a_delivery_is_a_span_below_its_invoice(told: list[Span], answer: Delivery, error: str | None) -> None:
    assert await delivered(answer, CLAIM.job_id) == answer
    assert [(span.name, span.parent, span.error) for span in told] == [("send", span_of(CLAIM.id), error)]


@pytest.mark.parametrize(("answer", "spans"), [(Accepted("u", {}), 0), (OutcomeUnknown("reset"), 1)])
async def test_of_what_is_not_sampled_the_unaccepted_is_told_below_its_job(
    told: list[Span], answer: Delivery, spans: int
) -> None:
    tracer.use(told.append, ratio=0.0)
    assert await delivered(answer, CLAIM.job_id) == answer
    assert [span.parent for span in told] == [JOB.span] * spans


@pytest.mark.parametrize("ratio", [0.0, 1.0])
async def test_a_delivery_of_a_job_that_is_not_known_is_made_without_asking_for_it(
    told: list[Span], ratio: float
) -> None:
    tracer.use(told.append, ratio=ratio)
    assert await delivered(OutcomeUnknown("reset")) == OutcomeUnknown("reset")
    assert told == []
