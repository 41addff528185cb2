"""Records that nobody could read: kept with their raw bytes and cause, in Postgres and on `<group>.dlq.v1`."""

from collections.abc import Sequence
from typing import Any, Protocol

import structlog
from aiokafka import ConsumerRecord

from common.contracts.dead_letters import Unreadable
from common.contracts.topics import MAX_RECORD_BYTES, Group, dead_letter_topic
from common.observability import metrics

log = structlog.get_logger()

_LARGEST = MAX_RECORD_BYTES - 65_536
"""Room for the origin and for what Kafka itself adds to a record."""


def unreadable(record: ConsumerRecord[Any, Any], *, cause: str) -> Unreadable:
    """The record as it came (headers as text), and why it could not be read."""
    headers = {_text(name): _text(value.decode("utf-8", "replace")) for name, value in record.headers}
    value = record.value or b""
    return Unreadable(record.topic, record.partition, record.offset, record.key, value, headers, _text(cause))


def _text(text: str) -> str:
    """PostgreSQL holds no NUL, and one that it refuses would stop the good records too."""
    return text.replace("\x00", "\ufffd")


class DeadLetterStore(Protocol):
    """Keeps unreadable records; keeping one twice is the same as once."""

    async def keep(self, group: Group, records: Sequence[Unreadable]) -> None: ...


class RawPublisher(Protocol):
    async def publish_raw(self, topic: str, key: bytes | None, value: bytes, headers: dict[str, str]) -> None: ...


class DeadLetters:
    """Parks records: row first, then the dead-letter topic. May be repeated; the row is unique."""

    def __init__(self, group: Group, store: DeadLetterStore, publisher: RawPublisher) -> None:
        self._group = group
        self._store = store
        self._publisher = publisher
        metrics.DEAD_LETTERS.labels(group)  # 0 from the start: the first one must be a rise

    async def park(self, records: Sequence[Unreadable]) -> None:
        if not records:
            return
        await self._store.keep(self._group, records)
        for record in records:
            await self._publisher.publish_raw(dead_letter_topic(self._group), *_letter(record))
        metrics.DEAD_LETTERS.labels(self._group).inc(len(records))
        log.error("records_parked", records=len(records), topic=records[0].topic, cause=records[0].cause)


def _letter(record: Unreadable) -> tuple[bytes | None, bytes, dict[str, str]]:
    """Key, value and headers as they came, with their origin; without them where they would not fit any more."""
    origin = {
        "x-original-topic": record.topic,
        "x-original-partition": str(record.partition),
        "x-original-offset": str(record.offset),
        "x-cause": record.cause[:1000],
    }
    size = len(record.key or b"") + len(record.value)
    size += sum(len(name.encode()) + len(text.encode()) for name, text in record.headers.items())
    if size > _LARGEST:
        return None, b"", {**origin, "x-omitted": "key, value and headers are in the table dead_letters"}
    return record.key, record.value, {**record.headers, **origin}
