"""Batches on a recording consumer: which offsets are committed, which are rewound, what cannot be read."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaConnectionError

from common.contracts.dead_letters import Unreadable
from common.contracts.events import InvoiceFetched
from common.contracts.topics import MAX_RECORD_BYTES, Group
from common.kafka.batch import Batch
from common.kafka.broker import tolerant_parser
from common.kafka.dead_letters import DeadLetters, unreadable
from common.kafka.decoding import decode

ID = UUID("0192f0c1-2f00-7000-8000-000000000001")
GOOD = InvoiceFetched(id=ID, version=1).model_dump_json().encode()


def record(
    offset: int, *, partition: int = 0, value: bytes | None = GOOD, headers: Any = (), key: bytes | None = None
) -> ConsumerRecord[Any, Any]:
    return ConsumerRecord("t", partition, offset, 0, 0, key, value, None, -1, -1, headers)


class RecordingConsumer:
    """Remembers commits and seeks; `assigned` partitions are ours."""

    def __init__(self, *assigned: int, error: Exception | None = None) -> None:
        self.assigned = {TopicPartition("t", partition) for partition in assigned}
        self.error = error
        self.committed: list[dict[int, int]] = []
        self.notes: list[str] = []
        self.seeks: dict[int, int] = {}

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    async def commit(self, offsets: Mapping[TopicPartition, tuple[int, str]]) -> None:
        if not offsets:
            raise ValueError(offsets)  # as aiokafka does
        if self.error:
            raise self.error
        self.committed.append({partition.partition: offset for partition, (offset, _) in offsets.items()})
        self.notes += [note for _, note in offsets.values()]

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.seeks[partition.partition] = offset


RECORDS = [record(5), record(6), record(9, partition=1), record(7)]


async def test_a_batch_commits_exactly_its_own_offsets() -> None:
    consumer = RecordingConsumer(0, 1, 2)
    batch: Batch[InvoiceFetched] = Batch((), consumer, RECORDS)
    assert not batch.acknowledged
    await batch.acknowledge()
    assert batch.acknowledged
    assert consumer.committed == [{0: 8, 1: 10}]


async def test_a_partition_that_went_away_is_neither_committed_nor_rewound() -> None:
    consumer = RecordingConsumer(1)
    batch: Batch[InvoiceFetched] = Batch((), consumer, RECORDS)
    batch.rewind()
    await batch.acknowledge()
    assert consumer.committed == [{1: 10}]
    assert consumer.seeks == {1: 9}


async def test_a_batch_whose_partitions_all_went_away_is_acknowledged_in_silence() -> None:
    consumer = RecordingConsumer()
    batch: Batch[InvoiceFetched] = Batch((), consumer, RECORDS)
    await batch.acknowledge()
    assert batch.acknowledged
    assert consumer.committed == []


@pytest.mark.parametrize("error", [KafkaConnectionError(), IllegalStateError()])
async def test_a_commit_that_fails_is_no_error_because_the_rows_have_moved(error: Exception) -> None:
    batch: Batch[InvoiceFetched] = Batch((), RecordingConsumer(0, 1, error=error), RECORDS)
    await batch.acknowledge()
    assert batch.acknowledged


def test_a_batch_is_rewound_to_its_first_offset_of_each_partition() -> None:
    consumer = RecordingConsumer(0, 1)
    Batch[InvoiceFetched]((), consumer, RECORDS).rewind()
    assert consumer.seeks == {0: 5, 1: 9}


BAD = {
    "no JSON": b"{",
    "no UTF-8": b"\xff\xfe",
    "null": None,
    "empty": b"",
    "another schema": b'{"job_id": 1}',
    "not an object": b"[]",
    "a NUL in the id": b'{"id": "0192f0c1-2f00-7000-8000-00000000000\\u0000", "version": 1}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD.keys())
def test_a_bad_record_is_set_aside_and_its_neighbours_are_read(value: bytes | None) -> None:
    one, bad, three = decode([record(1), record(2, value=value), record(3)], InvoiceFetched)
    assert [one.event and one.event.id, three.event and three.event.id] == [ID, ID]
    assert (one.bad, three.bad, bad.event) == (None, None, None)
    assert bad.bad is not None
    assert (bad.bad.offset, bad.bad.value) == (2, value or b"")
    assert bad.bad.cause
    assert "\x00" not in bad.bad.cause


async def test_headers_that_are_no_text_are_read_all_the_same() -> None:
    dirty = record(1, headers=(("a", b"\xff"), ("b", None), ("c", b"ok")))

    async def original(message: Any) -> Any:
        return message

    (clean,) = await tolerant_parser((dirty,), original)
    assert dict(clean.headers) == {"a": "\ufffd".encode(), "b": b"", "c": b"ok"}
    assert (clean.offset, clean.value, clean.topic) == (1, GOOD, "t")
    assert (await tolerant_parser(dirty, original)).headers == clean.headers


def test_a_header_that_postgresql_cannot_hold_does_not_stop_the_parking() -> None:
    letter = unreadable(record(1, headers=(("a", b"x\x00y"), ("n\x00", b"z"))), cause="found `\x00`")
    assert letter.headers == {"a": "x\ufffdy", "n\ufffd": "z"}
    assert letter.cause == "found `\ufffd`"


class FakeStore:
    def __init__(self) -> None:
        self.kept: list[Unreadable] = []

    async def keep(self, group: Group, records: Any) -> None:
        assert group is Group.SENDER
        self.kept += records


class FakePublisher:
    def __init__(self) -> None:
        self.published: list[tuple[str, bytes | None, bytes, dict[str, str]]] = []

    async def publish_raw(self, topic: str, key: bytes | None, value: bytes, headers: dict[str, str]) -> None:
        self.published.append((topic, key, value, headers))


async def test_a_parked_record_is_a_row_and_a_record_with_its_origin() -> None:
    store, publisher = FakeStore(), FakePublisher()
    letter = Unreadable("t", 3, 7, b"k", b"raw", {"h": "v"}, "cause")
    await DeadLetters(Group.SENDER, store, publisher).park([letter])
    assert store.kept == [letter]
    origin = {"x-original-topic": "t", "x-original-partition": "3", "x-original-offset": "7", "x-cause": "cause"}
    assert publisher.published == [("sender.dlq.v1", b"k", b"raw", {"h": "v", **origin})]


async def test_nothing_to_park_asks_nobody() -> None:
    store, publisher = FakeStore(), FakePublisher()
    await DeadLetters(Group.SENDER, store, publisher).park([])
    assert (store.kept, publisher.published) == ([], [])


@pytest.mark.parametrize(
    "letter",
    [
        Unreadable("t", 0, 1, b"k", b"x" * (MAX_RECORD_BYTES - 100), {}, "cause"),
        Unreadable("t", 0, 1, b"k", b"x", {"h": "x" * (MAX_RECORD_BYTES - 100)}, "cause"),
        Unreadable("t", 0, 1, b"k" * (MAX_RECORD_BYTES - 100), b"x", {}, "cause"),
    ],
)
async def test_a_record_that_would_be_too_large_with_its_origin_is_told_without_its_bytes(letter: Unreadable) -> None:
    store, publisher = FakeStore(), FakePublisher()
    await DeadLetters(Group.SENDER, store, publisher).park([letter])
    assert store.kept == [letter]
    _, key, value, headers = publisher.published[0]
    size = len(key or b"") + len(value) + sum(len(name) + len(text) for name, text in headers.items())
    assert size < MAX_RECORD_BYTES - 10_000
    assert headers["x-original-offset"] == "1"
    assert headers["x-omitted"] == "key, value and headers are in the table dead_letters"
