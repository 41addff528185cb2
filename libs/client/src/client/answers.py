"""What the shapes of the description do not say: a page of anything, and the two kinds of one timeline."""

from typing import Generic, TypeAlias, TypeVar

from client.answer import Answer
from client.shapes import Attempted, Moved

Item = TypeVar("Item")
TimelineEntry: TypeAlias = Moved | Attempted


class Page(Answer, Generic[Item]):
    items: list[Item]
    next_cursor: str | None = None
