"""Find the one bad row in a batch: halve until it is alone, then park it; the others go on."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from common.errors import DatabaseTimeout, Deadlock, RowFault

Item = TypeVar("Item")
Result = TypeVar("Result")


async def in_halves(
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
    park: Callable[[Item, RowFault], Awaitable[Sequence[Result]]],
) -> list[Result]:
    """Work `items`; a row's fault or a timeout halves the batch, a deadlock tries again at once.

    A single item at fault goes to `park`. A single item that times out raises DatabaseTimeout: it is never parked.
    """
    if not items:
        return []
    try:
        return list(await _despite_a_deadlock(items, work))
    except RowFault as fault:
        if len(items) == 1:
            return list(await park(items[0], fault))
    except DatabaseTimeout:
        if len(items) == 1:
            raise
    middle = len(items) // 2
    first = await in_halves(items[:middle], work, park)
    return first + await in_halves(items[middle:], work, park)


async def _despite_a_deadlock(
    items: Sequence[Item], work: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]
) -> Sequence[Result]:
    try:
        return await work(items)
    except Deadlock:
        return await work(items)
