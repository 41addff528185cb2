"""The breaker that all replicas share: closed, or open with a time at which one of them may probe."""

from dataclasses import dataclass
from datetime import timedelta

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=30)
PROBE_DEADLINE = timedelta(seconds=5)
PROBE_LEASE = timedelta(seconds=10)
"""How long a probe is left to the replica that took it."""
RELAPSE = timedelta(seconds=60)
"""A breaker that trips so soon after it closed goes on with the longer pauses."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What all know at one moment; durations count from it. `level` is how many probes failed."""

    version: int
    open: bool = False
    level: int = 0
    until_probe: timedelta = timedelta(0)
    closed_for: timedelta | None = None
    """None while it never opened."""
    held_for: timedelta = timedelta(0)
    """How long a Retry-After still keeps everybody away."""


@dataclass(frozen=True, slots=True)
class Change:
    """The next standing, to be written where it still stands at the version that was read."""

    open: bool
    level: int
    until_probe: timedelta
    why: str | None = None


def pause_before_probe(level: int) -> timedelta:
    """Never more often than once a second, for all replicas together."""
    return min(FIRST_PAUSE * 2 ** min(level, 10), LONGEST_PAUSE)


def trip(seen: Standing, why: str) -> Change:
    """Open a closed breaker."""
    relapse = seen.closed_for is not None and seen.closed_for < RELAPSE
    level = seen.level + 1 if relapse else 0
    return Change(True, level, pause_before_probe(level), why)


def begin_probe(seen: Standing) -> Change:
    """Take the probe that is due; should its taker die, another one may take it after the lease."""
    return Change(True, seen.level, PROBE_LEASE)


def reopen(seen: Standing, why: str) -> Change:
    """The probe found it unwell."""
    return Change(True, seen.level + 1, pause_before_probe(seen.level + 1), why)


def close_after(seen: Standing) -> Change:
    """The probe found it well; the level is kept for a relapse."""
    return Change(False, seen.level, timedelta(0))
