"""Looking at a consumer from outside, by public calls only, each of them bounded."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from common.clock import SYSTEM_CLOCK, Clock
from common.kafka.stillness import Look, Offsets
from common.waits import Waits

ANSWER_TIMEOUT = 2.0
_REQUEST_TIMEOUT_MS = 2_000

Answer = TypeVar("Answer")


class Observer:
    """Asks the broker by a second consumer that is in no group, so that the answer is not the watched one's."""

    def __init__(self, bootstrap_servers: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._bootstrap = bootstrap_servers
        self._clock = clock
        self._second: Any = None
        self._admin: Any = None

    async def look(self, consumer: Any, group: str, waits: Waits) -> Look:
        """One look at `consumer`, the aiokafka consumer of one subscriber of `group`."""
        began = self._clock.monotonic()
        assigned = frozenset[TopicPartition](consumer.assignment())
        ends = await self.ends(sorted(assigned)) if assigned else {}
        committed = await self._committed(consumer, assigned) if assigned and ends is not None else {}
        starts: Offsets | None = {}
        if ends and committed is not None and any(end > committed.get(p, -1) for p, end in ends.items()):
            starts = await self.starts(sorted(assigned))
        expelled = not assigned and await self._nobody_in(group)
        now = self._clock.monotonic()
        late = now - began > 2 * ANSWER_TIMEOUT + 0.5  # no two of its questions go unanswered in one look
        return Look(now, assigned, ends, committed, starts, waits=waits.any(), expelled=expelled, late=late)

    async def starts(self, partitions: Sequence[TopicPartition]) -> Offsets | None:
        """Where the logs begin; None without an answer."""
        second = self._second = self._second or await self._connect(self._make_consumer())
        return None if second is None else await _answer(second.beginning_offsets(partitions))

    async def ends(self, partitions: Sequence[TopicPartition]) -> Offsets | None:
        """The offset after the last record of each; None without an answer."""
        second = self._second = self._second or await self._connect(self._make_consumer())
        return None if second is None else await _answer(second.end_offsets(partitions))

    async def close(self) -> None:
        if self._second is not None:
            await self._second.stop()
        if self._admin is not None:
            await self._admin.close()

    def _make_consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id="watchdog",
            group_id=None,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
        )

    def _make_admin(self) -> AIOKafkaAdminClient:
        return AIOKafkaAdminClient(
            bootstrap_servers=self._bootstrap, client_id="watchdog", request_timeout_ms=_REQUEST_TIMEOUT_MS
        )

    async def _connect(self, client: Any) -> Any:
        """The client once it is connected; None where nobody answers."""
        if await _answer(_started(client)):
            return client
        await (client.stop if isinstance(client, AIOKafkaConsumer) else client.close)()
        return None

    async def _committed(self, consumer: Any, assigned: frozenset[TopicPartition]) -> Offsets | None:
        """What is acknowledged, without the partitions that have no commit; None when `consumer` gets no answer."""
        partitions = sorted(assigned)
        answers = await _answer(asyncio.gather(*(consumer.committed(partition) for partition in partitions)))
        if answers is None:
            return None
        return {p: offset for p, offset in zip(partitions, answers, strict=True) if offset is not None}

    async def _nobody_in(self, group: str) -> bool:
        admin = self._admin = self._admin or await self._connect(self._make_admin())
        described: Any = None if admin is None else await _answer(admin.describe_consumer_groups([group]))
        return described is not None and not _members(described)


async def _started(client: Any) -> bool:
    await client.start()
    return True


async def _answer(question: Awaitable[Answer]) -> Answer | None:
    """None when nobody answers in time."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            return await question
    except (KafkaError, OSError, TimeoutError):
        return None


def _members(described: Any) -> list[Any]:
    (group,) = described[0].groups
    return group[5]
