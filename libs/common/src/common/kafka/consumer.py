"""Batch consumption with explicit acknowledgement.

The three promises of this file, each with a test on a real broker:
a batch is acknowledged only by its handler, with exactly its own offsets; an exit without acknowledgement seeks back
every partition of the batch (a later commit would otherwise pass it: silent loss); a rebalance waits for the batch.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import structlog
from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream.kafka import KafkaBroker
from pydantic import ValidationError

from common.contracts.dead_letters import Unreadable
from common.contracts.events import Event
from common.contracts.topics import Group, Topic
from common.errors import InfrastructureError
from common.kafka.dead_letters import DeadLetters, unreadable
from common.kafka.patience import Patience
from common.observability import metrics
from common.observability.tracing import accept_correlation_id, correlation_id, parse_traceparent, trace_id

log = structlog.get_logger()

EventT = TypeVar("EventT", bound=Event)

MAX_RECORDS = 500
BATCH_WAIT_MS = 20
SESSION_TIMEOUT_MS = 6_000
HEARTBEAT_MS = 500
DRAIN_TIMEOUT = 20.0
REBALANCE_TIMEOUT_MS = 30_000
"""How long the group waits for a member that lets its batch end: above the drain; by default only the session."""


@dataclass(slots=True)
class Batch(Generic[EventT]):
    """What a handler gets: the readable events of one poll, and the way to acknowledge all of its records."""

    events: Sequence[EventT]
    _consumer: Any
    _records: Sequence[ConsumerRecord[Any, Any]]
    acknowledged: bool = field(default=False)

    async def acknowledge(self) -> None:
        """Commit exactly this batch's offsets, for the partitions that are still ours.

        A commit that fails is no error: the batch comes again and its rows have moved.
        """
        offsets: dict[TopicPartition, int] = {}
        for record in self._records:
            partition = TopicPartition(record.topic, record.partition)
            offsets[partition] = max(offsets.get(partition, 0), record.offset + 1)
        assigned = self._consumer.assignment()
        mine = {partition: offset for partition, offset in offsets.items() if partition in assigned}
        self.acknowledged = True
        try:
            if mine:  # aiokafka refuses to commit nothing
                await self._consumer.commit(mine)
        except (KafkaError, IllegalStateError) as error:
            metrics.COMMITS_FAILED.inc()
            log.warning("offset_commit_failed", error=f"{type(error).__name__}: {error}")

    def rewind(self) -> None:
        """Seek every partition of the batch that is still assigned back to its first offset.

        If that fails the process ends: going on would let a later commit pass this batch.
        """
        first: dict[TopicPartition, int] = {}
        for record in self._records:
            partition = TopicPartition(record.topic, record.partition)
            first[partition] = min(first.get(partition, record.offset), record.offset)
        try:
            for partition, offset in first.items():
                if partition in self._consumer.assignment():
                    self._consumer.seek(partition, offset)
        except Exception:  # whatever it is, the only safe thing left is to end
            log.critical("rewind_failed", exc_info=True)
            os._exit(70)


Handler = Callable[[Batch[Any]], Awaitable[None]]


class _DrainBeforeRevoke(ConsumerRebalanceListener):
    """Lets the batch in hand end, its commit included, before its partitions go to somebody else."""

    def __init__(self, gate: asyncio.Lock) -> None:
        self._gate = gate

    async def on_partitions_revoked(self, revoked: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - it awaits
        try:
            async with asyncio.timeout(DRAIN_TIMEOUT):
                async with self._gate:
                    pass
        except TimeoutError:
            log.warning("rebalance_undrained", partitions=len(revoked))

    async def on_partitions_assigned(self, assigned: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        log.info("partitions_assigned", partitions=len(assigned))


class Consumers:
    """Registers batch handlers on a broker; one group per service."""

    def __init__(
        self, broker: KafkaBroker, group: Group, dead_letters: DeadLetters, *, instance_id: str | None = None
    ) -> None:
        self._broker = broker
        self._group = group
        self._dead_letters = dead_letters
        self._instance_id = instance_id
        self.subscribers: list[Any] = []

    def on(self, topic: Topic, kind: type[EventT], handler: Callable[[Batch[EventT]], Awaitable[None]]) -> None:
        """Call `handler` with batches of `topic`; it must acknowledge the batch as its last move."""
        gate = asyncio.Lock()
        subscriber = self._broker.subscriber(
            topic.value,
            batch=True,
            group_id=self._group.value,
            group_instance_id=self._instance_id,
            auto_offset_reset="earliest",
            max_records=MAX_RECORDS,
            batch_timeout_ms=BATCH_WAIT_MS,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
            listener=_DrainBeforeRevoke(gate),
            no_reply=True,
        )
        context = self._broker.context

        async def consume(_: Any) -> None:
            message = context.get_local("message")
            async with gate:
                await self._work(message.consumer, message.raw_message, kind, handler)

        subscriber(consume)
        self.subscribers.append(subscriber)

    async def _work(self, consumer: Any, records: Sequence[ConsumerRecord[Any, Any]], kind: type[Event],
                    handler: Handler) -> None:  # fmt: skip
        batch: Batch[Any] = Batch((), consumer, records)
        outcome = "failed"
        try:
            _adopt_context(records[-1])
            metrics.RECORDS.labels(self._group).inc(len(records))
            readable, bad = decode(records, kind)
            batch.events = readable
            patience = Patience()
            await patience.insist(lambda: self._dead_letters.park(bad))
            await patience.insist(lambda: handler(batch))
            outcome = "done" if batch.acknowledged else "not_acknowledged"
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except InfrastructureError as error:
            log.warning("batch_given_back", topic=records[0].topic, records=len(records), error=str(error))
            raise
        except Exception:
            log.exception("batch_failed", topic=records[0].topic, records=len(records))
            await asyncio.sleep(1.0)  # a defect must not become a hot loop
            raise
        finally:
            metrics.BATCHES.labels(self._group, outcome).inc()
            if not batch.acknowledged:
                batch.rewind()


def decode(records: Sequence[ConsumerRecord[Any, Any]], kind: type[EventT]) -> tuple[list[EventT], list[Unreadable]]:
    """Decode record by record, so that one bad record does not fail its batch."""
    readable: list[EventT] = []
    bad: list[Unreadable] = []
    for record in records:
        try:
            readable.append(kind.model_validate_json(record.value or b""))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            bad.append(unreadable(record, cause=f"{first['type']}: {where}: {first['msg']}"))
    return readable, bad


def _adopt_context(record: ConsumerRecord[Any, Any]) -> None:
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    correlation_id.set(accept_correlation_id(headers.get("correlation_id")))
    trace_id.set(parse_traceparent(headers.get("traceparent")))
