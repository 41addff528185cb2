"""Claims only from a database that remembers every sending: restored to an older state, it would be sent from twice."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from common.invoice.move import Moved
from common.invoice.stage import Reason, Stage
from sender.domain import Claim, Outcome, Settlement, release
from sender.ports import Claims, Memory

log = structlog.get_logger()

NO_DOCUMENT = "its document was lost with the database; it is sent when the source lists it again"


class Remembered:
    """The due rows, as long as the memory is sure; what was claimed while it became unsure goes back unsent."""

    def __init__(self, claims: Claims, memory: Memory) -> None:
        self._claims = claims
        self._memory = memory

    async def dossiers_due(self, since: timedelta = timedelta(0)) -> Sequence[str]:
        """None while it is not sure."""
        return await self._claims.dossiers_due(since) if await self._memory.sure() else ()

    async def claim(self, dossiers: Sequence[str], limit: int, lease: timedelta) -> Sequence[tuple[Claim, Moved]]:
        """Claims, unless the claim itself came from another state of the database than was compared."""
        pairs = await self._claims.claim(dossiers, limit, lease)
        if not pairs or (await self._memory.sure() and self._memory.follows(claim.attempt for claim, _ in pairs)):
            return pairs if all(claim.content for claim, _ in pairs) else await self._with_documents(pairs)
        log.error("claims_of_a_doubtful_database_released", claims=len(pairs))
        await self._claims.settle([release(claim) for claim, _ in pairs])
        return ()

    async def _with_documents(self, pairs: Sequence[tuple[Claim, Moved]]) -> Sequence[tuple[Claim, Moved]]:
        """Rows that a recovery made have no document: whoever wants one sent again has it listed again."""
        await self._claims.settle([_without_document(claim) for claim, _ in pairs if not claim.content])
        return [(claim, moved) for claim, moved in pairs if claim.content]


def _without_document(claim: Claim) -> Settlement:
    """It ends like a cancelled row, whose key the next listing takes over."""
    return Settlement(claim, Outcome.RELEASED, Stage.FAILED, Reason.CANCELLED, NO_DOCUMENT, maybe_sent=False)
