"""Windows of a topic, read without a group: nobody's offsets move."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from common.errors import InfrastructureError
from gateway.domain.faults import NotAllowedNow
from gateway.domain.replays import Window
from gateway.replay.ports import REPLAYED_TOPICS, ReadRecord

WITHIN_SECONDS = 8.0
Span = tuple[int, int]
"""The first offset, and the one after the last."""


class KafkaTopics:
    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap = bootstrap_servers

    async def read(self, window: Window, limit: int) -> Sequence[ReadRecord]:
        if window.topic not in REPLAYED_TOPICS:
            raise NotAllowedNow(f"{window.topic} cannot be replayed; these can: {', '.join(REPLAYED_TOPICS)}")
        try:
            async with asyncio.timeout(WITHIN_SECONDS), self._consumer() as consumer:
                spans = await _spans(consumer, window)
                if sum(stop - start for start, stop in spans.values()) > limit:
                    raise NotAllowedNow(f"The window has more than {limit} records; make it smaller")
                return await _read(consumer, spans)
        except (KafkaError, OSError, TimeoutError) as error:
            raise InfrastructureError(f"kafka: reading {window.topic}: {type(error).__name__}: {error}") from error

    @asynccontextmanager
    async def _consumer(self) -> AsyncGenerator[Any]:
        consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, group_id=None, enable_auto_commit=False, client_id="gateway-replay"
        )
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()


async def _spans(consumer: Any, window: Window) -> Mapping[TopicPartition, Span]:
    """What of each partition lies in the window. Raises NotAllowedNow where a part of it is gone."""
    await consumer.topics()
    known: set[int] = consumer.partitions_for_topic(window.topic) or set()
    if window.partition is not None and window.partition not in known:
        raise NotAllowedNow(f"{window.topic} has no partition {window.partition}")
    partitions = [TopicPartition(window.topic, p) for p in sorted(known) if window.partition in {None, p}]
    consumer.assign(partitions)
    begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    spans: dict[TopicPartition, Span] = {}
    for partition in partitions:
        begin, end = begins[partition], ends[partition]
        if window.since is not None:
            spans[partition] = await _by_time(consumer, partition, (begin, end), window.since, window.until)
        else:
            spans[partition] = _by_offset(window, begin, end)
    return {partition: span for partition, span in spans.items() if span[0] < span[1]}


def _by_offset(window: Window, begin: int, end: int) -> Span:
    first = begin if window.first is None else window.first
    if first < begin:
        raise NotAllowedNow(f"The topic begins at offset {begin}: what was before it is gone")
    return first, end if window.last is None else min(end, window.last + 1)


async def _by_time(
    consumer: Any, partition: TopicPartition, whole: Span, since: datetime, until: datetime | None
) -> Span:
    begin, end = whole
    if begin > 0 and begin < end:  # records were removed: is the window older than what is left?
        consumer.seek(partition, begin)
        oldest = await consumer.getone(partition)
        if since.timestamp() * 1000 < oldest.timestamp:
            raise NotAllowedNow(f"Partition {partition.partition} has nothing left of before {oldest.timestamp} ms")
    return (
        await _offset_at(consumer, partition, since, end),
        end if until is None else await _offset_at(consumer, partition, until, end),
    )


async def _offset_at(consumer: Any, partition: TopicPartition, at: datetime, end: int) -> int:
    found = (await consumer.offsets_for_times({partition: int(at.timestamp() * 1000)}))[partition]
    return end if found is None else int(found.offset)


async def _read(consumer: Any, spans: Mapping[TopicPartition, Span]) -> list[ReadRecord]:
    if not spans:
        return []
    for partition, (start, _) in spans.items():
        consumer.seek(partition, start)
    records: list[ReadRecord] = []
    waiting = set(spans)
    while waiting:
        for partition, batch in (await consumer.getmany(*waiting, timeout_ms=500)).items():
            stop = spans[partition][1]
            records += [_record(record) for record in batch if record.offset < stop]
        for partition in list(waiting):
            if await consumer.position(partition) >= spans[partition][1]:
                waiting.discard(partition)
    return sorted(records, key=lambda record: (record.partition, record.offset))


def _record(record: Any) -> ReadRecord:
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
    return ReadRecord(record.partition, record.offset, record.key, record.value or b"", headers)
