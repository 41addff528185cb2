"""Whether calls take longer than they do when the destination is at ease."""

_WEIGHT = 0.1
_SAMPLES_FIRST = 10
_TOO_SLOW = 2.0
_NOISE = 0.02
"""Seconds: below that the difference is our own event loop's."""


class Latency:
    """An exponentially weighted mean (EWMA), and the smallest that it ever was."""

    def __init__(self) -> None:
        self._mean = 0.0
        self._smallest = float("inf")
        self._samples = 0

    def slow(self, seconds: float) -> bool:
        """Take one more call in; whether the mean is more than twice its smallest."""
        self._samples += 1
        # a plain mean first, so that the first call weighs no more than the others
        self._mean += (seconds - self._mean) * max(_WEIGHT, 1 / self._samples)
        if self._samples < _SAMPLES_FIRST:
            return False
        self._smallest = min(self._smallest, self._mean)
        return self._mean > _TOO_SLOW * self._smallest + _NOISE
