"""Many who ask at once share a reading, and nobody gets one that was made before they asked."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest

from common.errors import InfrastructureError
from gateway.adapters.gathered import Gathered


@dataclass
class Source:
    """Answers each key with what it is worth at that moment, once it is let."""

    worth: int = 1
    asked: list[set[str]] = field(default_factory=list[set[str]])
    let: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False

    async def read(self, keys: Collection[str]) -> Mapping[str, int]:
        self.asked.append(set(keys))
        found = {key: self.worth for key in keys if key != "nobody"}
        await self.let.wait()
        if self.broken:
            raise InfrastructureError("away")
        return found


async def begun(source: Source, gathered: Gathered[str, int], *keys: str) -> list[asyncio.Task[int | None]]:
    tasks = [asyncio.ensure_future(gathered(key)) for key in keys]
    while not source.asked:
        await asyncio.sleep(0)
    return tasks


async def test_who_asks_while_a_reading_is_under_way_gets_the_next_one() -> None:
    source = Source()
    gathered = Gathered(source.read)
    first = await begun(source, gathered, "ann")
    source.worth = 2
    later = [asyncio.ensure_future(gathered(key)) for key in ("ann", "ben", "nobody", "ann")]
    await asyncio.sleep(0)
    source.let.set()
    assert await asyncio.gather(*first, *later) == [1, 2, 2, None, 2]
    assert source.asked == [{"ann"}, {"ann", "ben", "nobody"}]


async def test_who_asks_alone_asks_at_once() -> None:
    source = Source()
    source.let.set()
    gathered = Gathered(source.read)
    assert [await gathered("ann"), await gathered("ann")] == [1, 1]
    assert len(source.asked) == 2


async def test_a_reading_that_fails_fails_for_all_who_waited_for_it_and_for_no_other() -> None:
    source = Source(broken=True)
    gathered = Gathered(source.read)
    first = await begun(source, gathered, "ann")
    later = [asyncio.ensure_future(gathered(key)) for key in ("ben", "cid")]
    await asyncio.sleep(0)
    source.let.set()
    for failed in await asyncio.gather(*first, *later, return_exceptions=True):
        assert isinstance(failed, InfrastructureError)
    assert len(source.asked) == 2
    source.broken = False
    assert await gathered("ann") == 1


async def test_who_goes_away_while_reading_leaves_the_others_their_answer() -> None:
    source = Source()
    gathered = Gathered(source.read)
    (first,) = await begun(source, gathered, "ann")
    later = [asyncio.ensure_future(gathered(key)) for key in ("ben", "cid")]
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    source.let.set()
    assert await asyncio.gather(*later) == [1, 1]
