"""What a handler gets: the readable events of some records, and the way to acknowledge exactly those records."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from common.contracts.events import Event
from common.observability import metrics

log = structlog.get_logger()

EventT = TypeVar("EventT", bound=Event)
Record = ConsumerRecord[Any, Any]


def _nothing_to_note(_: TopicPartition, __: int) -> str:
    return ""


@dataclass(slots=True)
class Batch(Generic[EventT]):
    """The events, and their acknowledgement."""

    events: Sequence[EventT]
    _consumer: Any
    _records: Sequence[Record]
    _note: Callable[[TopicPartition, int], str] = _nothing_to_note
    """The metadata of a commit at an offset."""
    acknowledged: bool = field(default=False)

    async def acknowledge(self) -> None:
        """Commit exactly this batch's offsets, for the partitions that are still ours.

        A commit that fails is no error: the batch comes again and its rows have moved.
        """
        offsets: dict[TopicPartition, int] = {}
        for record in self._records:
            partition = TopicPartition(record.topic, record.partition)
            offsets[partition] = max(offsets.get(partition, 0), record.offset + 1)
        self.acknowledged = True
        await commit(self._consumer, {p: (offset, self._note(p, offset)) for p, offset in offsets.items()})

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


@dataclass(slots=True)
class Part(Batch[EventT]):
    """Some records of a batch that could not be worked whole: acknowledged with the others, by one commit."""

    async def acknowledge(self) -> None:
        self.acknowledged = True


async def commit(consumer: Any, offsets: dict[TopicPartition, tuple[int, str]]) -> None:
    """Commit offsets with their metadata, for the partitions that are still ours; a failure is counted and logged."""
    assigned = consumer.assignment()
    mine = {partition: offset for partition, offset in offsets.items() if partition in assigned}
    try:
        if mine:  # aiokafka refuses to commit nothing
            await consumer.commit(mine)
    except (KafkaError, IllegalStateError) as error:
        metrics.COMMITS_FAILED.inc()
        log.warning("offset_commit_failed", error=f"{type(error).__name__}: {error}")
