"""Windows of a topic, read without a group: nobody's offsets move."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from common.contracts.topics import Topic
from common.errors import InfrastructureError
from common.kafka.tail import Spans, first_since, read_span, spans
from gateway.domain.faults import NotAllowedNow
from gateway.domain.replays import Window
from gateway.replay.ports import REPLAYED_TOPICS, ReadRecord

WITHIN_SECONDS = 8.0
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class KafkaTopics:
    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap = bootstrap_servers

    async def read(self, window: Window, limit: int) -> Sequence[ReadRecord]:
        if window.topic not in REPLAYED_TOPICS:
            raise NotAllowedNow(f"{window.topic} cannot be replayed; these can: {', '.join(REPLAYED_TOPICS)}")
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                chosen = await self._chosen(window)
                if sum(max(0, end - begin) for begin, end in chosen.values()) > limit:
                    raise NotAllowedNow(f"The window has more than {limit} records; make it smaller")
                found = [_record(record) async for record in read_span(self._bootstrap, chosen)]
        except TimeoutError as error:
            raise InfrastructureError(f"kafka: reading {window.topic} took longer than {WITHIN_SECONDS:g} s") from error
        return sorted(found, key=lambda record: (record.partition, record.offset))

    async def _chosen(self, window: Window) -> Spans:
        """What of each partition lies in the window. Raises NotAllowedNow where a part of it is gone."""
        whole = await spans(self._bootstrap, Topic(window.topic))
        if window.partition is not None:
            whole = {partition: span for partition, span in whole.items() if partition.partition == window.partition}
            if not whole:
                raise NotAllowedNow(f"{window.topic} has no partition {window.partition}")
        if window.since is not None:
            return await self._by_time(whole, window.since, window.until)
        return {partition: _by_offset(window, *span) for partition, span in whole.items()}

    async def _by_time(self, whole: Spans, since: datetime, until: datetime | None) -> Spans:
        for partition, oldest in (await first_since(self._bootstrap, whole, _EVER)).items():
            if whole[partition][0] > 0 and since < oldest.at:  # records were removed, and perhaps of this window
                where = f"partition {partition.partition} begins at {oldest.at.isoformat()}"
                raise NotAllowedNow(f"The window begins before the topic: {where}, what was before it is gone")
        begins = await first_since(self._bootstrap, whole, since)
        ends = await first_since(self._bootstrap, whole, until) if until is not None else {}
        return {
            partition: (
                begins[partition].offset if partition in begins else end,
                ends[partition].offset if partition in ends else end,
            )
            for partition, (_, end) in whole.items()
        }


def _by_offset(window: Window, begin: int, end: int) -> tuple[int, int]:
    first = begin if window.first is None else window.first
    if first < begin:
        raise NotAllowedNow(f"The topic begins at offset {begin}: what was before it is gone")
    return first, end if window.last is None else min(end, window.last + 1)


def _record(record: Any) -> ReadRecord:
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
    return ReadRecord(record.partition, record.offset, record.key, record.value or b"", headers)
