"""Records that were deleted before anybody worked them: a person is told; their rows are there for the sweeper."""

from datetime import timedelta

import structlog
from aiokafka import TopicPartition

from common.clock import SYSTEM_CLOCK, Clock
from common.isolation import Alerts

log = structlog.get_logger()

RETENTION_GAP = "retention_gap"
QUIET = timedelta(minutes=10)
"""How long after the last gap the alert is closed: long enough to be seen, and for the sweeper to have caught up."""


class Gaps:
    """The gaps of one subscriber."""

    def __init__(self, alerts: Alerts, subject: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._alerts = alerts
        self._subject = subject
        self._clock = clock
        self._latest = clock.monotonic()
        self._open = True  # for all that is known: a process before this one may have opened it
        self._told: dict[TopicPartition, int] = {}

    async def found(self, partition: TopicPartition, stood: int, first: int) -> None:
        """The group stood at `stood`, the log begins at `first`."""
        self._latest, self._open = self._clock.monotonic(), True
        if self._told.get(partition) == first:
            return
        self._told[partition] = first
        details = {"partition": partition.partition, "stood": stood, "first": first, "records": first - stood}
        log.critical(RETENTION_GAP, topic=partition.topic, **details)
        await self._alerts.open(RETENTION_GAP, self._subject, details)

    async def none(self) -> None:
        """Nothing is missing now."""
        if self._open and self._clock.monotonic() - self._latest > QUIET.total_seconds():
            self._open = False
            await self._alerts.close(RETENTION_GAP, self._subject)
