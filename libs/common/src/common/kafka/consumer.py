"""Batch consumption with explicit acknowledgement.

The three promises, each with a test on a real broker:
a batch is acknowledged only by its handler, with exactly its own offsets; an exit without acknowledgement seeks back
every partition of the batch (a later commit would otherwise pass it: silent loss); a rebalance waits for the batch.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from faststream.kafka import KafkaBroker

from common.contracts.topics import Group, Topic
from common.isolation import Alerts, Isolation, NoAlerts
from common.kafka.batch import Batch, EventT
from common.kafka.begun import Begun
from common.kafka.dead_letters import DeadLetters
from common.kafka.gaps import Gaps
from common.kafka.rebalancing import DrainBeforeRevoke
from common.kafka.working import Park, Working
from common.waits import Waits

__all__ = ["Batch", "Consumers", "Subscription"]

MAX_RECORDS = 500
BATCH_WAIT_MS = 20
SESSION_TIMEOUT_MS = 6_000
HEARTBEAT_MS = 500
REBALANCE_TIMEOUT_MS = 30_000
"""How long the group waits for a member that lets its batch end: above the drain; by default only the session."""

LIMITS: Any = {
    "auto_offset_reset": "earliest",
    "max_records": MAX_RECORDS,
    "batch_timeout_ms": BATCH_WAIT_MS,
    "session_timeout_ms": SESSION_TIMEOUT_MS,
    "heartbeat_interval_ms": HEARTBEAT_MS,
    "rebalance_timeout_ms": REBALANCE_TIMEOUT_MS,
    "no_reply": True,
}
"""What every subscription has alike."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscriber of FastStream, when it waits on purpose, and what was deleted before it came."""

    subscriber: Any
    waits: Waits
    gaps: Gaps

    @property
    def group_id(self) -> str:
        return self.subscriber.group_id or ""

    @property
    def consumer(self) -> Any:
        """The aiokafka consumer; None before the start and after the stop."""
        return self.subscriber.consumer

    @property
    def running(self) -> bool:
        return self.subscriber.running

    @property
    def tasks(self) -> Sequence[Any]:
        return list(getattr(self.subscriber, "tasks", ()))

    async def stop(self) -> None:
        await self.subscriber.stop()


class Consumers:
    """Registers batch handlers on a broker; one group per service."""

    def __init__(
        self,
        broker: KafkaBroker,
        group: Group,
        dead_letters: DeadLetters,
        *,
        instance_id: str | None = None,
        alerts: Alerts | None = None,
    ) -> None:
        self._broker = broker
        self._group = group
        self._dead_letters = dead_letters
        self._instance_id = instance_id
        self._alerts: Alerts = alerts or NoAlerts()
        self.subscribers: list[Subscription] = []

    def on(
        self,
        topic: Topic,
        kind: type[EventT],
        handler: Callable[[Batch[EventT]], Awaitable[None]],
        *,
        park: Park[EventT] | None = None,
        isolation: Isolation | None = None,
    ) -> None:
        """Call `handler` with batches of `topic`; it must acknowledge the batch as its last move.

        A record that alone makes the handler fail unexpectedly, or ends its process three times, goes to `park`; by
        default its record is a dead letter. `isolation` is given where a sweeper shares the stage.
        """
        gate, waits = asyncio.Lock(), Waits()
        stage = f"{self._group}:{topic}"
        gaps = Gaps(self._alerts, stage)
        begun = Begun(gaps.found)
        shared = isolation or Isolation(stage, alerts=self._alerts)
        work = Working(self._group, kind, handler, park, self._dead_letters, shared, begun, waits)
        subscriber = self._broker.subscriber(
            topic.value,
            batch=True,
            group_id=self._group.value,
            group_instance_id=self._instance_id,
            listener=DrainBeforeRevoke(gate, begun.forget),
            **LIMITS,
        )
        context = self._broker.context

        async def consume(_: Any) -> None:
            message = context.get_local("message")
            async with gate:
                await work(message.consumer, message.raw_message)

        subscriber(consume)
        self.subscribers.append(Subscription(subscriber, waits, gaps))
