"""One reading for all who ask at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from common.errors import ClearfactsError

Key = TypeVar("Key")
Found = TypeVar("Found")


@dataclass(slots=True)
class _Batch(Generic[Key, Found]):
    keys: set[Key] = field(default_factory=set[Key])
    found: Mapping[Key, Found] | ClearfactsError | None = None


class Gathered(Generic[Key, Found]):
    """Who asks while a reading is under way waits for the next one, which is made for all who wait.

    So nobody gets an answer that was read before they asked, and a thousand who ask at once cost two readings.
    """

    def __init__(self, read: Callable[[Collection[Key]], Awaitable[Mapping[Key, Found]]]) -> None:
        self._read = read
        self._turn = asyncio.Lock()
        self._next: _Batch[Key, Found] = _Batch()

    async def __call__(self, key: Key) -> Found | None:
        """Raises the ClearfactsError of the reading."""
        batch = self._next
        batch.keys.add(key)
        async with self._turn:
            if batch.found is None:
                self._next = _Batch()  # from here on, who comes asks anew
                try:
                    batch.found = await self._read(batch.keys)
                except ClearfactsError as error:  # theirs too: else each would take its timeout in turn
                    batch.found = error
        if isinstance(batch.found, ClearfactsError):
            raise batch.found
        return batch.found.get(key)
