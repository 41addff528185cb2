"""Batches that were begun and never ended: read from the group's commits once for each partition that becomes ours."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from common.kafka.batch import Record, commit
from common.kafka.notes import Care, Note, read, write

log = structlog.get_logger()

_ANSWER_TIMEOUT = 3.0

OnGap = Callable[[TopicPartition, int, int], Awaitable[None]]
"""Told the partition, where the group stood, and where the records begin that are left."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Records to take together, in order; `note` is to be committed before they are begun."""

    records: Sequence[Record]
    note: Note | None = None
    condemned: bool = False
    """The one record ended its process too often: it is parked, not worked."""


class Begun:
    """The notes of one subscriber's partitions. In the usual case a batch is one piece and nothing is asked."""

    def __init__(self, on_gap: OnGap) -> None:
        self._on_gap = on_gap
        self._notes: dict[TopicPartition, Note | None] = {}

    def forget(self) -> None:
        """The partitions are given away; whoever has them next begins anew."""
        self._notes.clear()

    def metadata(self, partition: TopicPartition, offset: int) -> str:
        """What a commit at `offset` says."""
        note = self._notes.get(partition)
        if note is None:
            return ""
        note = self._notes[partition] = note.after(offset)
        return write(note)

    async def pieces(self, consumer: Any, records: Sequence[Record]) -> list[Piece]:
        """How to take what was polled."""
        partitions = {TopicPartition(topic, number) for topic, number in {(r.topic, r.partition) for r in records}}
        if new := partitions - self._notes.keys():
            await self._meet(consumer, {p: [r for r in records if r.partition == p.partition] for p in new})
        if not any(self._notes[partition] for partition in partitions):
            return [Piece(records)]
        return self._in_pieces(records)

    async def _meet(self, consumer: Any, records: dict[TopicPartition, list[Record]]) -> None:
        """Note that the first batch of each of these partitions is begun."""
        left = await _left_behind(consumer, list(records))
        begun: dict[TopicPartition, tuple[int, str]] = {}
        for partition, mine in records.items():
            first, end = mine[0].offset, mine[-1].offset + 1
            at, metadata = left.get(partition, (-1, ""))
            if 0 <= at < first:
                await self._on_gap(partition, at, first)
            note = read(metadata).begun_again(end) if at == first else Note(1, end)
            self._notes[partition] = note
            if note.care is Care.WHOLE or note.care is Care.HALVES:
                begun[partition] = (first, write(note))
            else:
                log.warning("batch_begun_before", partition=partition.partition, offset=first, times=note.begun - 1)
        await commit(consumer, begun)

    def _in_pieces(self, records: Sequence[Record]) -> list[Piece]:
        """The partitions without a history first and together, each other one by itself."""
        whole: list[Record] = []
        troubled: defaultdict[TopicPartition, list[Record]] = defaultdict(list)
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            note = self._notes[partition]
            (whole if note is None or note.care is Care.WHOLE else troubled[partition]).append(record)
        pieces = [Piece(whole)] if whole else []
        for partition, mine in sorted(troubled.items(), key=lambda entry: _begun(self._notes[entry[0]])):
            note = self._notes[partition]
            pieces += _divided(mine, note) if note else []
        return pieces


def _begun(note: Note | None) -> int:
    return note.begun if note else 0


def _divided(records: Sequence[Record], note: Note) -> list[Piece]:
    """One partition's records as its note wants them; what lies behind the noted batch goes together again."""
    old = [record for record in records if record.offset < note.until]
    rest = [Piece(records[len(old) :])] if len(old) < len(records) else []
    if note.care is Care.HALVES:
        middle = (len(old) + 1) // 2
        return [Piece(half) for half in (old[:middle], old[middle:]) if half] + rest
    alone = [Piece([record]) for record in old]
    if old:
        alone[0] = Piece(old[:1], note, condemned=note.care is Care.CONDEMNED)
    return alone + rest


async def _left_behind(consumer: Any, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, tuple[int, str]]:
    """Offset and metadata of the last commits; empty without an answer."""
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT):
            found = await consumer._coordinator.fetch_committed_offsets(partitions)  # noqa: SLF001 - pinned; a test holds it
    except (KafkaError, OSError, TimeoutError) as error:
        log.warning("commits_not_read", error=f"{type(error).__name__}: {error}")
        return {}
    return {partition: (at.offset, at.metadata or "") for partition, at in found.items()}
