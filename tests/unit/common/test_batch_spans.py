"""A batch is one span: below the announcement of its last record, linked to those of the others."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from common.contracts.events import InvoiceFetched
from common.contracts.topics import Group
from common.isolation import Isolation
from common.kafka.batch import Batch, Record
from common.kafka.begun import Begun, Piece
from common.kafka.dead_letters import DeadLetters
from common.kafka.working import Working
from common.observability.spans import Kind, Span, tracer
from common.observability.tracing import Context, current
from common.waits import Waits
from tests.unit.common.test_consumer import FakePublisher, FakeStore, RecordingConsumer, record

ONE = Context("0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7", sampled=True)
TWO = Context("4bf92f3577b34da6a3ce929d0e0e4736", "b7ad6b7169203331", sampled=True)
QUIET = TWO._replace(span="53995c3f42cd8ad8", sampled=False)


@pytest.fixture
def told() -> Iterator[list[Span]]:
    spans: list[Span] = []
    tracer.use(spans.append, ratio=1.0)
    yield spans
    tracer.use(None)


class Whole(Begun):
    """Nothing was begun before."""

    async def pieces(self, consumer: Any, records: Sequence[Record]) -> list[Piece]:
        return [Piece(records)]


async def no_gap(*_: object) -> None: ...


async def work(*announced: Context | None) -> Context | None:
    """The span that was open in the handler of a batch, of which each record was announced so."""
    inside: list[Context | None] = []

    async def handle(batch: Batch[InvoiceFetched]) -> None:
        inside.append(current.get())
        await batch.acknowledge()

    letters = DeadLetters(Group.VALIDATOR, FakeStore(), FakePublisher())
    working = Working(
        Group.VALIDATOR, InvoiceFetched, handle, None, letters, Isolation("s"), Whole(no_gap), Waits()
    )  # fmt: skip
    records = [
        record(offset, headers=(("traceparent", context.traceparent.encode()),) if context else ())
        for offset, context in enumerate(announced)
    ]
    await working(RecordingConsumer(0), records)
    return inside[0]


async def test_a_batch_is_below_its_last_announcement_and_linked_to_the_others(told: list[Span]) -> None:
    inside = await work(ONE, ONE, None, TWO, QUIET)
    [span] = told
    assert (span.name, span.kind, span.context) == ("process t", Kind.CONSUMER, inside)
    assert (span.context.trace, span.parent, list(span.links)) == (TWO.trace, TWO.span, [ONE])
    assert span.attributes["messaging.batch.message_count"] == 5
    assert current.get() is None


@pytest.mark.parametrize("announced", [(None, None), (QUIET,)])
async def test_a_batch_of_what_nobody_tells_is_told_by_nobody(
    told: list[Span], announced: tuple[Context | None, ...]
) -> None:
    assert await work(*announced) is None
    assert told == []
