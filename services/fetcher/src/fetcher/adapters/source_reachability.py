"""Whether the source answers: a page of one item that is read and thrown away."""

from collections.abc import Awaitable, Callable, Sequence

from common.clock import SYSTEM_CLOCK, Clock
from common.db.reachability import Reached
from fetcher.ports import Source, SourceRefused, SourceUnavailable


def source_look(source: Source, clock: Clock = SYSTEM_CLOCK) -> Callable[[], Awaitable[Sequence[Reached]]]:
    """`source` should list few items a page."""

    async def look() -> Sequence[Reached]:
        try:
            await source.page(None, since=clock.now(), ids=None)
        except (SourceUnavailable, SourceRefused) as error:
            return [Reached("source", ok=False, why=f"{error.endpoint}: {error}"[:500])]
        return [Reached("source", ok=True)]

    return look
