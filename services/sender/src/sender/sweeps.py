"""The sender's share of due rows, besides the pump's own: leases that ran out, unknown outcomes, unheard ends."""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from common.db.sweeper import Sweep
from common.errors import RowFault
from common.halves import in_halves
from common.invoice.move import Moved
from common.invoice.stage import FAILED_AT_SENDING, Stage
from sender.ports import Claims, Key

log = structlog.get_logger()

Announce = Callable[[Sequence[Moved]], Awaitable[None]]
Resolve = Callable[[Sequence[Key]], Awaitable[None]]

EXPIRED = "the sender ended before an answer came"
LOOKUPS = 32
"""How many unknown rows are leased at once: as many as can be looked up well within the lease of a sweep."""
_OURS = " OR ".join(f"reason = '{reason}'" for reason in sorted(FAILED_AT_SENDING))


class SenderSweeps:
    def __init__(self, claims: Claims, resolve: Resolve, announce: Announce) -> None:
        self._claims = claims
        self._resolve = resolve
        self._announce = announce

    def quick(self) -> Sequence[Sweep]:
        """What the database alone says."""
        return (
            Sweep(Stage.SENDING, self.expire),
            Sweep(Stage.SENT, self.announce_again),
            Sweep(Stage.FAILED, self.announce_again, _OURS),
        )

    def slow(self) -> Sequence[Sweep]:
        """What waits for the destination, and must keep nothing else waiting."""
        return (Sweep(Stage.UNKNOWN, self._resolve),)

    async def expire(self, keys: Sequence[Key]) -> None:
        """A claim whose lease ran out: nobody knows whether it was sent."""
        await self._announce(await in_halves(keys, self._give_up, _leave))

    async def announce_again(self, keys: Sequence[Key]) -> None:
        """Ends whose announcement may not have been heard."""
        await self._announce(await in_halves(keys, self._claims.read, _leave))

    async def _give_up(self, keys: Sequence[Key]) -> Sequence[Moved]:
        return await self._claims.give_up(keys, Stage.UNKNOWN, EXPIRED)


async def _leave(key: Key, fault: RowFault) -> Sequence[Moved]:
    """One row that the database does not take keeps its timer and comes again; the others go on."""
    log.error("row_not_swept", invoice=str(key[0]), cause=str(fault))
    return []
