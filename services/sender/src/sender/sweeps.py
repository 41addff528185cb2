"""The sender's share of due rows, besides the pump's own: leases that ran out, unknown outcomes, unheard ends."""

from collections.abc import Awaitable, Callable, Sequence

from common.db.sweeper import Sweep
from common.invoice.move import Moved
from common.invoice.stage import Reason, Stage
from sender.ports import Claims, Key

Announce = Callable[[Sequence[Moved]], Awaitable[None]]

EXPIRED = "the sender ended before an answer came"
HELD = "the outcome of sending is not known; a person has to look whether Clearfacts has it"


class SenderSweeps:
    def __init__(self, claims: Claims, announce: Announce) -> None:
        self._claims = claims
        self._announce = announce

    def all(self) -> Sequence[Sweep]:
        return (
            Sweep(Stage.SENDING, self.expire),
            Sweep(Stage.UNKNOWN, self.hold),
            Sweep(Stage.SENT, self.announce_again),
            Sweep(Stage.FAILED, self.announce_again, f"reason = '{Reason.REFUSED}'"),
        )

    async def expire(self, keys: Sequence[Key]) -> None:
        """A claim whose lease ran out: nobody knows whether it was sent."""
        await self._announce(await self._claims.give_up(keys, Stage.UNKNOWN, EXPIRED))

    async def hold(self, keys: Sequence[Key]) -> None:
        """An unknown outcome waits for a person, unless an acceptance came in meanwhile."""
        await self._announce(await self._claims.give_up(keys, Stage.HELD, HELD))

    async def announce_again(self, keys: Sequence[Key]) -> None:
        """Ends whose announcement may not have been heard."""
        await self._announce(await self._claims.read(keys))
