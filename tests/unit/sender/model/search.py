"""Breadth-first search over everything that may happen to one row."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.unit.sender.model.core import Core, Step, broken_promise
from tests.unit.sender.model.world import ENDS, Row


@dataclass(slots=True)
class Searched:
    """`trace`: the shortest way to a broken promise; `stuck`: a way to where no end can be reached any more."""

    states: int = 0
    trace: Sequence[str] = ()
    promise: str | None = None
    stuck: Sequence[str] = ()
    stages: set[str] = field(default_factory=set[str])


def search(core: Core, start: Row, *, promise: Callable[[Row], str | None] = broken_promise) -> Searched:
    """Visit every state that can be reached from `start`."""
    came_from: dict[Row, tuple[Row, str] | None] = {start: None}
    before: dict[Row, list[Row]] = {}
    waiting = deque([start])
    while waiting:
        row = waiting.popleft()
        for step in core.steps(row):
            if step.good:
                before.setdefault(step.row, []).append(row)
            new = step.row not in came_from
            if new:
                came_from[step.row] = (row, step.name)
                waiting.append(step.row)
            broken = step.broken or (promise(step.row) if new else None)
            if broken:
                return Searched(len(came_from), [*_way(came_from, row), step.name], broken)
    stuck = set(came_from) - _reaching_an_end(before, came_from)
    way = _way(came_from, min(stuck, key=lambda row: len(_way(came_from, row)))) if stuck else ()
    return Searched(len(came_from), stuck=way, stages={row.stage.value for row in came_from})


def _reaching_an_end(before: dict[Row, list[Row]], states: dict[Row, tuple[Row, str] | None]) -> set[Row]:
    reaching = {row for row in states if row.stage in ENDS}
    waiting = list(reaching)
    while waiting:
        new = [row for row in before.get(waiting.pop(), ()) if row not in reaching]
        reaching.update(new)
        waiting += new
    return reaching


def _way(came_from: dict[Row, tuple[Row, str] | None], row: Row) -> list[str]:
    way: list[str] = []
    while (step := came_from[row]) is not None:
        row, name = step
        way.append(name)
    return way[::-1]


__all__ = ["Searched", "Step", "search"]
