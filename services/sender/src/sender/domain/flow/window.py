"""When the calls of one process say that the destination should be left alone."""

from collections import deque

CALLS = 20
SHARE = 0.5
IN_A_ROW = 5


class Window:
    """The newest calls. Trips at half of twenty, or at five failures in a row."""

    def __init__(self) -> None:
        self._failed: deque[bool] = deque(maxlen=CALLS)
        self._in_a_row = 0
        self._trust = IN_A_ROW

    def add(self, *, failed: bool) -> bool:
        """Whether it trips with this call."""
        self._failed.append(failed)
        if not failed:
            self._in_a_row, self._trust = 0, IN_A_ROW
            return False
        self._in_a_row += 1
        full = len(self._failed) == CALLS
        return self._in_a_row >= self._trust or (full and sum(self._failed) >= CALLS * SHARE)

    def reset(self, *, on_trial: bool = False) -> None:
        """Forget; `on_trial`, one failure trips until something went well: a probe is no proof that documents pass."""
        self._failed.clear()
        self._in_a_row = 0
        self._trust = 1 if on_trial else IN_A_ROW
