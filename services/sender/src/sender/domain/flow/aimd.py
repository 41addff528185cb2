"""How many calls at once: one more for each round that went well, a third fewer for one that did not (as RFC 5681)."""

from sender.domain.flow.latency import Latency

DECREASE = 0.7
FLOOR = 1


class Aimd:
    """Between the floor and `ceiling`, from `start`. Fixed at the ceiling where it is not `adaptive`.

    A round is what is under way when the limit changes: a burst of failures that left together cuts once.
    """

    def __init__(self, *, start: int, ceiling: int, adaptive: bool = True) -> None:
        self._ceiling = ceiling
        self._wanted_start = start
        self._start = min(start, ceiling)
        self._adaptive = adaptive
        self.limit = self._start if adaptive else ceiling
        self._went_well = 0
        self._round_began = float("-inf")
        self._latency = Latency()

    def well(self, began: float, ended: float, peak: int) -> None:
        """A call from `began` to `ended` went well; `peak`: the most that were under way at this limit."""
        if not self._adaptive:
            return
        if self._latency.slow(ended - began):
            self._slower(began, ended)
        elif 2 * peak >= self.limit:  # a limit that is not used is not proven (RFC 7661: at least half of it)
            self._went_well += 1
            if self._went_well >= self.limit:
                self._went_well = 0
                self.limit = min(self.limit + 1, self._ceiling)

    def cut(self, began: float, ended: float) -> None:
        """A call from `began` to `ended` showed that it is too much."""
        if self._adaptive and began >= self._round_began:
            self._round_began = ended
            self._went_well = 0
            self.limit = max(FLOOR, int(self.limit * DECREASE))

    def restart(self, now: float) -> None:
        """From the start again: what was borne before a failure says nothing about after it."""
        if self._adaptive:
            self._round_began = now
            self._went_well = 0
            self.limit = min(self.limit, self._start)
            self._latency = Latency()

    def bound(self, ceiling: int) -> None:
        """Another ceiling from now on; above it nothing more begins, and towards a higher one it grows as ever."""
        self._ceiling = ceiling
        self._start = min(self._wanted_start, ceiling)
        self.limit = min(self.limit, ceiling) if self._adaptive else ceiling

    def _slower(self, began: float, ended: float) -> None:
        if self.limit > FLOOR:
            self.cut(began, ended)
        else:  # alone, and still slow: it has become so, and not by our doing
            self._latency = Latency()
