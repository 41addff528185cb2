"""Whether a consumer stands still: pure, judged from what was seen of it, look after look."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from aiokafka import TopicPartition

Offsets: TypeAlias = Mapping[TopicPartition, int]

GRACE = 5.0
"""Seconds that a consumer may need, after its broker is back, to find out and to join its group again."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a consumer at one moment.

    `ends` or `starts` is None when the broker did not answer, `committed` when it answered others but not this
    consumer. `starts` is asked where something may be left to do. What has no commit, or one from before its log's
    start, stands where the log starts.
    """

    at: float
    assigned: frozenset[TopicPartition]
    ends: Offsets | None
    committed: Offsets | None
    starts: Offsets | None = field(default_factory=dict[TopicPartition, int])
    waits: bool = False
    expelled: bool = False
    """Nothing is assigned, and the group has no member at all: the consumer has fallen out of it."""

    late: bool = False
    """Looking took far longer than its time-outs allow: the whole process was stopped meanwhile."""

    @property
    def gaps(self) -> Mapping[TopicPartition, tuple[int, int]]:
        """Where a log begins after what its group has acknowledged: both offsets."""
        stood = self.committed or {}
        return {p: (stood[p], start) for p, start in (self.starts or {}).items() if stood.get(p, start) < start}


@dataclass(slots=True)
class Stillness:
    """Gives the seconds for which a consumer has not moved although it should."""

    _since: float | None = None
    _not_before: float = 0.0
    _last: Look | None = None
    _known: dict[TopicPartition, int] = field(default_factory=dict[TopicPartition, int])

    def judge(self, look: Look) -> float:
        """0.0 while there is no verdict: idle, moving, waiting on purpose, nobody there to say, we ourselves late."""
        last, self._last = self._last, look
        moved = self._moved(look) or last is None or last.assigned != look.assigned
        if look.ends is None or look.starts is None:
            self._not_before = look.at + GRACE
        excused = look.late or look.waits or look.at < self._not_before
        if excused or moved or not self._behind(look):
            self._since = None
            return 0.0
        if self._since is None:
            self._since = look.at
        return look.at - self._since

    def _moved(self, look: Look) -> bool:
        """Whether any partition that is ours was acknowledged further since the last answer."""
        if look.committed is None:
            return False
        starts = look.starts or {}
        stands = {p: max(look.committed.get(p, 0), starts.get(p, 0)) for p in look.committed.keys() | starts.keys()}
        moved = any(self._known.get(partition) != offset for partition, offset in stands.items())
        self._known = stands
        return moved

    def _behind(self, look: Look) -> bool:
        if look.expelled:
            return True
        ends = look.ends or {}
        return any(ends[p] > self._known[p] for p in look.assigned & ends.keys() & self._known.keys())
