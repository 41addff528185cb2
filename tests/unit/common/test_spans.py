"""Spans: what is recorded, what costs nothing, what of the unsampled is told all the same."""

import threading
import time
from collections.abc import Iterator, Sequence
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from common.clock import SYSTEM_CLOCK
from common.db.job_facts import JobFacts, KnownJobs
from common.http.client import observed
from common.invoice.move import Moved
from common.invoice.stage import Stage
from common.invoice_spans import InvoiceSpans
from common.observability.exporting import AT_ONCE, SpanQueue
from common.observability.spans import Kind, Span, tracer
from common.observability.tracing import Context, current, new_traceparent, outgoing, parse_context, span_of

ABOVE = Context("0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7", sampled=True)
UNSAMPLED = ABOVE._replace(sampled=False)


@pytest.fixture
def told() -> Iterator[list[Span]]:
    """The spans that were told; all of them are sampled."""
    spans: list[Span] = []
    tracer.use(spans.append, ratio=1.0)
    yield spans
    tracer.use(None)


def test_a_span_is_below_the_open_one_and_open_itself(told: list[Span]) -> None:
    with tracer.span("outer", parent=ABOVE) as outer, tracer.span("inner", Kind.CLIENT) as inner:
        assert outer is not None
        assert inner is not None
        assert current.get() == inner.context
        assert parse_context(new_traceparent()) == parse_context(outgoing()["traceparent"]) == inner.context
    assert current.get() is None
    assert [(span.name, span.parent) for span in told] == [("inner", outer.context.span), ("outer", ABOVE.span)]
    assert {span.context.trace for span in told} == {ABOVE.trace}
    assert all(span.ended >= span.started > 0 for span in told)


def test_an_exception_is_the_spans_error_without_what_it_quotes(told: list[Span]) -> None:
    with pytest.raises(ValueError, match="Ann"), tracer.span("x", parent=ABOVE):
        int("Ann Peeters")
    assert [span.error for span in told] == ["ValueError: invalid literal for int() with base 10: <value>"]


@pytest.mark.parametrize("parent", [None, UNSAMPLED])
def test_where_nothing_is_sampled_nothing_is_told(told: list[Span], parent: Context | None) -> None:
    with tracer.span("x", parent=parent) as span:
        assert span is None
    assert told == []


def test_what_leaves_while_nothing_is_open_belongs_to_a_trace_that_nobody_tells() -> None:
    context = parse_context(new_traceparent())
    assert context is not None
    assert not context.sampled
    assert outgoing() == {}


def test_the_part_that_is_sampled_is_the_same_everywhere() -> None:
    ids = [SYSTEM_CLOCK.new_id().int for _ in range(4000)]
    tracer.use(None, ratio=0.1)
    share = sum(map(tracer.samples, ids)) / len(ids)
    assert 0.07 < share < 0.13
    tracer.use(None, ratio=1.0)
    assert all(map(tracer.samples, ids))
    tracer.use(None)
    assert not any(map(tracer.samples, ids))


async def test_a_call_to_others_says_how_it_ended(told: list[Span]) -> None:
    with tracer.span("x", parent=ABOVE):
        for name in ("201", "503", "ok", None):
            async with observed("clearfacts", "POST") as outcome:
                outcome.name = name or outcome.name
    assert [span.error for span in told[:-1]] == [None, "503", None, "error"]
    assert {(span.name, span.kind) for span in told[:-1]} == {("POST clearfacts", Kind.CLIENT)}


def moved(stage: Stage, *, version: int, row: UUID, job: UUID, reason: str | None = None) -> Moved:
    return Moved(row, version, stage, reason, job, "SRC", None, None, 0, None, None)


class Jobs(KnownJobs):
    """All jobs were asked for in one span."""

    def __init__(self, traceparent: str | None) -> None:
        self._traceparent = traceparent

    async def learn(self, job_ids: object) -> None: ...

    def get(self, job_id: UUID | None) -> JobFacts | None:
        return JobFacts(0.0, self._traceparent) if job_id else None


async def test_whatever_process_moves_an_invoice_its_spans_are_below_its_own(told: list[Span]) -> None:
    row, job = SYSTEM_CLOCK.new_id(), uuid4()
    await InvoiceSpans(Jobs(ABOVE.traceparent), "fetcher").tell([moved(Stage.FETCHED, version=1, row=row, job=job)])
    await InvoiceSpans(Jobs(ABOVE.traceparent), "sender").tell([moved(Stage.SENT, version=4, row=row, job=job)])
    born, sent = told
    assert (born.name, born.parent, born.context.span) == ("invoice", ABOVE.span, span_of(row))
    assert (sent.name, sent.parent, sent.error) == ("invoice sent", span_of(row), None)
    assert born.started <= born.ended


async def test_of_what_is_not_sampled_only_what_went_wrong_is_told_below_the_job(told: list[Span]) -> None:
    tracer.use(told.append, ratio=0.0)
    rows = [SYSTEM_CLOCK.new_id() for _ in range(3)]
    stages = (Stage.FETCHED, Stage.SENT, Stage.FAILED)
    moves = [moved(s, version=2, row=r, job=uuid4(), reason="x") for s, r in zip(stages, rows, strict=True)]
    await InvoiceSpans(Jobs(ABOVE.traceparent), "sender").tell(moves)
    assert [(span.name, span.parent, span.error) for span in told] == [("invoice failed", ABOVE.span, "x")]


@pytest.mark.parametrize("traceparent", [None, UNSAMPLED.traceparent])
async def test_the_invoices_of_a_job_that_is_not_traced_have_no_spans(
    told: list[Span], traceparent: str | None
) -> None:
    move = moved(Stage.FAILED, version=1, row=SYSTEM_CLOCK.new_id(), job=uuid4())
    await InvoiceSpans(Jobs(traceparent), "fetcher").tell([move])
    assert told == []


class Receiver:
    """Takes spans once it may."""

    def __init__(self, *, fails: bool = False) -> None:
        self.spans: list[str] = []
        self.may = threading.Event()
        self._fails = fails

    def __call__(self, spans: Sequence[Span]) -> bool:
        self.may.wait(20)
        if self._fails:
            raise ConnectionError("away")
        self.spans += [span.name for span in spans]
        return True


def span(name: str = "x") -> Span:
    return Span(name, ABOVE, None, started=1, ended=2)


def spans_total(outcome: str) -> float:
    return REGISTRY.get_sample_value("trace_spans_total", {"outcome": outcome}) or 0.0


def test_the_last_spans_are_told_at_the_end() -> None:
    receiver, before = Receiver(), spans_total("exported")
    receiver.may.set()
    queue = SpanQueue(receiver)
    for number in range(AT_ONCE + 3):
        queue.put(span(str(number)))
    queue.close()
    assert receiver.spans == [str(number) for number in range(AT_ONCE + 3)]
    assert spans_total("exported") - before == AT_ONCE + 3


def test_a_receiver_that_hangs_keeps_nobody_and_what_does_not_fit_is_dropped_and_counted() -> None:
    receiver, before = Receiver(), spans_total("dropped")
    queue = SpanQueue(receiver, most=10)
    queue.put(span())
    deadline = time.monotonic() + 5
    while queue.waiting and time.monotonic() < deadline:
        time.sleep(0.01)
    began = time.perf_counter()
    for _ in range(10_000):
        queue.put(span())
    assert time.perf_counter() - began < 1.0
    assert spans_total("dropped") - before == 9_990
    began = time.perf_counter()
    queue.close(0.2)
    assert time.perf_counter() - began < 1.0
    receiver.may.set()


def test_a_receiver_that_is_away_is_counted_and_tried_again() -> None:
    receiver, before = Receiver(fails=True), spans_total("failed")
    receiver.may.set()
    queue = SpanQueue(receiver)
    queue.put(span())
    queue.close()
    assert spans_total("failed") - before == 1
