"""Tokens of the shared bucket that were leased to this process."""

from math import ceil

LIFE = 2.0
"""Seconds; what was not used by then is lost, so that no process saves up for a burst."""
AHEAD = 10.0
"""Seconds of work that may wait for its token in memory."""


def chunk(rate: float) -> int:
    """How many tokens are leased at once, and how many the bucket holds: those of a second."""
    return max(1, ceil(rate))


class Bucket:
    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._tokens = 0
        self._dead_at = 0.0

    def take(self, now: float) -> bool:
        """Take one, if there is one."""
        if self._tokens < 1 or now >= self._dead_at:
            return False
        self._tokens -= 1
        return True

    def fill(self, tokens: int, now: float) -> None:
        """Tokens that were leased just now."""
        self._tokens = tokens + (self._tokens if now < self._dead_at else 0)
        self._dead_at = now + LIFE

    def most_waiting(self) -> int:
        """How many calls may stand in line, so that none outlives its lease there."""
        return max(1, int(self.rate * AHEAD))
