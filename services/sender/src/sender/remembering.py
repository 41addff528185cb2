"""Claims only from a database that remembers every sending: restored to an older state, it would be sent from twice."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from common.invoice.move import Moved
from sender.domain import Claim, release
from sender.ports import Claims, Memory

log = structlog.get_logger()


class Remembered:
    """The due rows, as long as the memory is sure; what was claimed while it became unsure goes back unsent."""

    def __init__(self, claims: Claims, memory: Memory) -> None:
        self._claims = claims
        self._memory = memory

    async def dossiers_due(self) -> Sequence[str]:
        """None while it is not sure."""
        return await self._claims.dossiers_due() if await self._memory.sure() else ()

    async def claim(self, dossiers: Sequence[str], limit: int, lease: timedelta) -> Sequence[tuple[Claim, Moved]]:
        """Claims, unless the claim itself came from another state of the database than was compared."""
        pairs = await self._claims.claim(dossiers, limit, lease)
        if not pairs or (await self._memory.sure() and self._memory.follows(claim.attempt for claim, _ in pairs)):
            return pairs
        log.error("claims_of_a_doubtful_database_released", claims=len(pairs))
        await self._claims.settle([release(claim) for claim, _ in pairs])
        return ()
