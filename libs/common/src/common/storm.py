"""When one unexpected exception explodes: pure counting, so that nothing is parked for a defect of ours.

A storm begins with the 21st row in a row that fails by the same exception, or when more than 30 % of what was worked
in five minutes did. While it lasts one row at a time is probed, at most one a second; it ends when a row passes that
had failed before.
"""

import traceback
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from common.clock import SYSTEM_CLOCK, Clock

CONSECUTIVE = 20
SHARE = 0.3
WINDOW = timedelta(minutes=5)
PROBE_EVERY = timedelta(seconds=1)
_MOST_FAILING = 100
_BUCKET = 10.0


@dataclass(slots=True)
class _Bucket:
    began: float
    worked: int = 0
    failed: int = 0


class StormGuard:
    """Counts for one stage of one process; `storm` is the fingerprint of the exception while there is one."""

    def __init__(self, *, clock: Clock = SYSTEM_CLOCK, consecutive: int = CONSECUTIVE) -> None:
        self._clock = clock
        self._limit = consecutive
        self.storm: str | None = None
        self._fingerprint: str | None = None
        self._in_a_row = 0
        self._recent: deque[_Bucket] = deque()
        self.failing: list[bytes] = []
        self._probes = 0
        self._next_probe = 0.0

    def passed(self, rows: int) -> None:
        """`rows` went well."""
        self._in_a_row = 0
        self._bucket().worked += rows

    def failed(self, key: bytes, fingerprint: str) -> bool:
        """A row failed alone, unexpectedly. Whether that makes a storm: then it must not be parked."""
        if fingerprint != self._fingerprint:
            self._fingerprint, self._in_a_row = fingerprint, 0
            self._recent.clear()
        self._in_a_row += 1
        bucket = self._bucket()
        bucket.worked += 1
        bucket.failed += 1
        failed = sum(one.failed for one in self._recent)
        share = failed / sum(one.worked for one in self._recent)
        if self._in_a_row <= self._limit and not (failed > self._limit and share > SHARE):
            return False
        self.begin(fingerprint, key)
        return True

    def begin(self, fingerprint: str, *failing: bytes) -> None:
        """A storm, seen here or told by somebody else."""
        self.storm = fingerprint
        self.failing = list(failing)
        self._next_probe = self._clock.monotonic() + PROBE_EVERY.total_seconds()

    def seconds_to_probe(self) -> float:
        """How long to wait before the next probe."""
        return max(0.0, self._next_probe - self._clock.monotonic())

    def choose(self, keys: Sequence[bytes]) -> int:
        """The position of the row to probe: one that failed before, and in turn any other."""
        self._probes += 1
        self._next_probe = self._clock.monotonic() + PROBE_EVERY.total_seconds()
        known = [position for position, key in enumerate(keys) if key in self.failing]
        if known and self._probes % 2:
            return known[self._probes // 2 % len(known)]
        return self._probes // 2 % len(keys)

    def probed(self, key: bytes, *, passed: bool) -> bool:
        """What came of a probe; whether the storm is over."""
        if not passed:
            if key not in self.failing and len(self.failing) < _MOST_FAILING:
                self.failing.append(key)
            return False
        if self.failing and key not in self.failing:
            return False  # it never failed: it proves nothing
        self.storm, self.failing, self._in_a_row = None, [], 0
        self._recent.clear()
        return True

    def _bucket(self) -> _Bucket:
        """The counts of the current ten seconds; what is older than the window is forgotten."""
        now = self._clock.monotonic()
        while self._recent and now - self._recent[0].began > WINDOW.total_seconds():
            self._recent.popleft()
        if not self._recent or now - self._recent[-1].began > _BUCKET:
            self._recent.append(_Bucket(now))
        return self._recent[-1]


def fingerprint(error: BaseException) -> str:
    """What makes two unexpected exceptions the same: type and innermost place, never the message."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    frame = frames[-1]
    return f"{type(error).__name__} at {frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} in {frame.name}"
