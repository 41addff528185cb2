"""Whether the destination answers with this token, and knows the administrations: read, never sent."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from common.db.pool import Database
from common.db.reachability import Reached

_SHOWN = 5


class Reachable(Protocol):
    async def probe(self) -> str | None:
        """Why the answer to a harmless question is not that of one that is well, else None."""
        ...

    async def unreachable(self, administrations: Sequence[str]) -> Sequence[str] | str:
        """Those that this token cannot reach; a text where the destination does not tell."""
        ...


def destination_look(destination: Reachable, database: Database) -> Callable[[], Awaitable[Sequence[Reached]]]:
    async def look() -> Sequence[Reached]:
        why = await destination.probe()
        if why is not None:
            return [Reached("destination", ok=False, why=why), _unasked("the destination does not answer")]
        rows = await database.fetch("SELECT enterprise_number FROM administrations ORDER BY enterprise_number")
        missing = await destination.unreachable([row["enterprise_number"] for row in rows])
        return [Reached("destination", ok=True), _of_administrations(missing, len(rows))]

    return look


def _of_administrations(missing: Sequence[str] | str, asked: int) -> Reached:
    if isinstance(missing, str):
        return _unasked(missing)
    if not missing:
        return Reached("administrations", ok=True, why=f"all {asked}")
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return Reached("administrations", ok=False, why=f"not reachable: {', '.join(missing[:_SHOWN])}{more}")


def _unasked(why: str) -> Reached:
    return Reached("administrations", ok=None, why=why)
