"""From polled records to a handler's batches: what cannot be read is parked, what cannot be worked stops nobody.

An exit without acknowledgement seeks every partition back to its first unacknowledged offset: a later commit would
otherwise pass it, which is silent loss.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Generic

import structlog
from aiokafka import TopicPartition

from common.contracts.topics import Group
from common.errors import InfrastructureError, RetryableError
from common.isolation import Isolation, Steps
from common.kafka.batch import Batch, EventT, Part, Record, commit
from common.kafka.begun import Begun, Piece
from common.kafka.dead_letters import DeadLetters, unreadable
from common.kafka.decoding import Item, adopt_context, contexts_of, decode
from common.kafka.notes import write
from common.kafka.patience import Patience
from common.observability import metrics
from common.observability.spans import Attribute, Kind, Span, tracer
from common.waits import Waits, current

log = structlog.get_logger()

Handler = Callable[[Batch[EventT]], Awaitable[None]]
Park = Callable[[EventT, str], Awaitable[None]]
"""Ends what an event is about, with the cause; it may be called twice."""

MOST_LINKS = 32

DIED = "its process ended three times with it alone in hand"


class NotAcknowledgedError(RetryableError):
    """The handler returned without acknowledging: the records come again."""


@dataclass(slots=True)
class Polled:
    """What one poll gave, and which of it is acknowledged."""

    consumer: Any
    records: Sequence[Record]
    patience: Patience
    done: list[Record] = field(default_factory=list[Record])
    owed: list[Record] = field(default_factory=list[Record])
    """Of what is done, what no commit has told yet."""

    def rest(self) -> Sequence[Record]:
        done = set(map(id, self.done))
        return [record for record in self.records if id(record) not in done]


@dataclass(frozen=True, slots=True)
class Working(Generic[EventT]):
    """The work of one subscriber."""

    group: Group
    kind: type[EventT]
    handler: Handler[EventT]
    park: Park[EventT] | None
    dead_letters: DeadLetters
    isolation: Isolation
    begun: Begun
    waits: Waits

    async def __call__(self, consumer: Any, records: Sequence[Record]) -> None:
        polled = Polled(consumer, records, Patience())
        current.set(self.waits)
        outcome = "failed"
        try:
            adopt_context(records[-1])
            metrics.RECORDS.labels(self.group).inc(len(records))
            metrics.BATCH_RECORDS.labels(self.group).observe(len(records))
            with self._span(records):
                for piece in await self.begun.pieces(consumer, records):
                    await self._take(polled, piece)
            outcome = "done"
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except NotAcknowledgedError:
            outcome = "not_acknowledged"
        except (InfrastructureError, RetryableError) as error:
            log.warning("batch_given_back", topic=records[0].topic, records=len(records), error=str(error))
            raise
        except Exception:
            log.exception("batch_failed", topic=records[0].topic, records=len(records))
            await asyncio.sleep(1.0)  # a defect must not become a hot loop
            raise
        finally:
            metrics.BATCHES.labels(self.group, outcome).inc()
            if outcome != "done":
                Batch((), consumer, polled.rest()).rewind()

    def _span(self, records: Sequence[Record]) -> AbstractContextManager[Span | None]:
        """One for the batch, in the trace of its last record that is sampled; it links to those of the others."""
        if not tracer.on:
            return nullcontext()
        contexts = [context for context in contexts_of(records) if context.sampled]
        topic = records[0].topic
        if not contexts:
            return nullcontext()
        attributes: dict[str, Attribute] = {
            "messaging.system": "kafka",
            "messaging.destination.name": topic,
            "messaging.consumer.group.name": self.group,
            "messaging.batch.message_count": len(records),
        }
        links = contexts[:-1][-MOST_LINKS:]
        return tracer.span(f"process {topic}", Kind.CONSUMER, parent=contexts[-1], links=links, attributes=attributes)

    async def _take(self, polled: Polled, piece: Piece) -> None:
        items = decode(piece.records, self.kind)
        if piece.condemned:
            await self._give_up(polled, items[0], DIED)
            await self._settle(polled)
            return
        if piece.note:
            first = piece.records[0]
            place = TopicPartition(first.topic, first.partition)
            await commit(polled.consumer, {place: (first.offset, write(piece.note))})
        await polled.patience.insist(lambda: self.dead_letters.park([item.bad for item in items if item.bad]))
        try:
            await self.isolation.take(items, self._steps(polled, whole=len(items)))
        finally:
            await self._settle(polled)

    async def _settle(self, polled: Polled) -> None:
        owed, polled.owed = polled.owed, []
        if owed:
            await Batch((), polled.consumer, owed, self.begun.metadata).acknowledge()

    def _steps(self, polled: Polled, *, whole: int) -> Steps[Item[EventT]]:
        async def work(items: Sequence[Item[EventT]]) -> None:
            if len(items) == whole:
                polled.done += await self._handle(polled, items, Batch)
            else:
                _owe(polled, await self._handle(polled, items, Part))

        async def probe(items: Sequence[Item[EventT]]) -> None:
            await self._handle(polled, items, Part)

        async def park(item: Item[EventT], cause: str) -> None:
            await self._give_up(polled, item, cause)

        return Steps(lambda item: item.key, work, park, probe)

    async def _handle(self, polled: Polled, items: Sequence[Item[EventT]], kind: type[Batch[EventT]]) -> list[Record]:
        records = [item.record for item in items]
        batch = kind([i.event for i in items if i.event], polled.consumer, records, self.begun.metadata)
        await polled.patience.insist(lambda: self.handler(batch))
        if not batch.acknowledged:
            raise NotAcknowledgedError
        return records

    async def _give_up(self, polled: Polled, item: Item[EventT], cause: str) -> None:
        """Park what the item is about, or where nobody knows how, the record."""
        if item.event is not None and self.park is not None:
            park, event = self.park, item.event
            await polled.patience.insist(lambda: park(event, cause))
        elif item.bad is None:
            letter = unreadable(item.record, cause=cause)
            await polled.patience.insist(lambda: self.dead_letters.park([letter]))
        _owe(polled, [item.record])


def _owe(polled: Polled, records: Sequence[Record]) -> None:
    polled.done += records
    polled.owed += records
