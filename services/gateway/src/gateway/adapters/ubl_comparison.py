"""What differs between two versions of a document."""

import asyncio

from gateway.domain.held import Comparison, FieldChange
from ubl.difference import difference
from ubl.safe import MalformedDocument

LONGEST = 4 * 1024 * 1024
"""Bytes of one document; above, comparing takes longer than a caller waits."""
MOST_CHANGES = 200


class Comparing:
    """Compares in a thread, two pairs at once at most: the event loop and the other requests go on."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(2)

    async def __call__(self, old: bytes, new: bytes) -> Comparison:
        if max(len(old), len(new)) > LONGEST:
            return Comparison(note=f"a version is larger than {LONGEST // 1024 // 1024} MiB: too large to compare here")
        async with self._turn:
            return await asyncio.to_thread(_compare, old, new)


def _compare(old: bytes, new: bytes) -> Comparison:
    try:
        found = difference(old, new, MOST_CHANGES)
    except MalformedDocument as error:
        return Comparison(note=f"a version cannot be read: {error}")
    changes = [FieldChange(change.path, change.old, change.new) for change in found.changes]
    return Comparison(changes, found.more, None if changes else "no field differs")
