"""One page of a list: what all lists by keyset have in common."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from gateway.domain.cursors import Cursors
from gateway.domain.readings import Page

Item = TypeVar("Item")
Place = TypeVar("Place")


async def read_page(
    cursors: Cursors,
    bound: Mapping[str, Any],
    cursor: str | None,
    limit: int,
    *,
    ask: Callable[[Place | None, int], Awaitable[Sequence[Item]]],
    place_of: Callable[[Item], Sequence[str]],
    read_place: Callable[[Sequence[str]], Place],
) -> Page[Item]:
    """At most `limit` of what `ask` finds behind a place; `bound` names the list and its filters. Raises CursorInvalid.

    One more is asked for than is shown, to know whether there are more.
    """
    place = None if cursor is None else read_place(cursors.open(cursor, bound_to=bound))
    found = await ask(place, limit + 1)
    items = list(found[:limit])
    if len(found) <= limit:
        return Page(items, None)
    return Page(items, cursors.seal(place_of(items[-1]), bound_to=bound))


def at_and_id(at: datetime, item_id: UUID) -> tuple[str, str]:
    """The place of an item in a list by time."""
    return at.isoformat(), str(item_id)


def read_at_and_id(place: Sequence[str]) -> tuple[datetime, UUID]:
    at, item_id = place
    return datetime.fromisoformat(at), UUID(item_id)


def read_id(place: Sequence[str]) -> UUID:
    """The place in a list by row id."""
    return UUID(place[0])
