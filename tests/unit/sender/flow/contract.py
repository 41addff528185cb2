"""What `Shared` promises, for the fake and for PostgreSQL alike. Each check begins with a destination nobody knows."""

import asyncio
from datetime import timedelta

from sender.domain.flow import Change
from sender.ports import Shared

SECOND = timedelta(seconds=1)
OPEN = Change(open=True, level=2, until_probe=5 * SECOND, why="down")
CLOSED = Change(open=False, level=2, until_probe=timedelta(0))


async def check_first_reading(shared: Shared) -> None:
    standing = await shared.read()
    assert (standing.open, standing.level, standing.closed_for) == (False, 0, None)
    assert (standing.until_probe, standing.held_for) == (timedelta(0), timedelta(0))
    assert (await shared.read()).version == standing.version


async def check_changes(shared: Shared) -> None:
    seen = await shared.read()
    opened = await shared.change(seen, OPEN)
    assert opened is not None
    assert (opened.open, opened.level, opened.closed_for) == (True, 2, None)
    assert 4 * SECOND < opened.until_probe <= 5 * SECOND
    assert opened.version > seen.version
    closed = await shared.change(opened, CLOSED)
    assert closed is not None
    assert not closed.open
    assert closed.closed_for is not None
    assert closed.closed_for < SECOND


async def check_only_one_of_many_changes_it(shared: Shared) -> None:
    seen = await shared.read()
    won = [standing for standing in await asyncio.gather(*(shared.change(seen, OPEN) for _ in range(8))) if standing]
    assert len(won) == 1
    assert (await shared.read()).version == won[0].version
    assert await shared.change(seen, CLOSED) is None


async def check_holds(shared: Shared) -> None:
    before = await shared.read()
    await shared.hold(20 * SECOND)
    await shared.hold(5 * SECOND)
    standing = await shared.read()
    assert 19 * SECOND < standing.held_for <= 20 * SECOND
    assert await shared.change(before, OPEN), "a hold is no change of the breaker"


async def check_tokens(shared: Shared) -> None:
    await shared.read()
    await shared.lease(1000.0, 1000)
    await asyncio.sleep(0.05)
    taken = [await shared.lease(1000.0, 10) for _ in range(4)]
    assert all(0 <= tokens <= 10 for tokens in taken)
    assert taken[0] == 10
    assert sum(taken) <= 20 + 1000 * 0.05, "a bucket that holds ten does not give more at once"


CHECKS = (check_first_reading, check_changes, check_only_one_of_many_changes_it, check_holds, check_tokens)
