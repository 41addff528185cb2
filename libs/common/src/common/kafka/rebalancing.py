"""A rebalance lets the batch in hand end, its commit included, before its partitions go to somebody else."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener

log = structlog.get_logger()

DRAIN_TIMEOUT = 20.0


class DrainBeforeRevoke(ConsumerRebalanceListener):
    """`gate` is held while a batch is in hand; `revoked` is called once it has ended."""

    def __init__(self, gate: asyncio.Lock, revoked: Callable[[], None]) -> None:
        self._gate = gate
        self._revoked = revoked

    async def on_partitions_revoked(self, revoked: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - it awaits
        try:
            async with asyncio.timeout(DRAIN_TIMEOUT):
                async with self._gate:
                    pass
        except TimeoutError:
            log.warning("rebalance_undrained", partitions=len(revoked))
        self._revoked()

    async def on_partitions_assigned(self, assigned: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        log.info("partitions_assigned", partitions=len(assigned))
