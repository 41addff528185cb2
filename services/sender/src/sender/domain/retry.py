"""When a row that was not accepted is sent again, and when that ends. Pure: chance is passed in."""

import random
from datetime import timedelta

SCHEDULE = tuple(
    timedelta(seconds=seconds) for seconds in (10, 30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
)
"""The longest pause after a row's n-th own failure; the last one again and again."""
LONGEST_FLOOR = timedelta(hours=1)
"""A `Retry-After` beyond this is capped."""
PATIENCE = timedelta(hours=72)
"""How long a row's own clock runs: from its first own failure, less what others made it wait."""
_SHORTEST_WAIT_FOR_OTHERS = timedelta(seconds=1)
_SPREAD = timedelta(seconds=1)


def pause(failures: int, failing_for: timedelta, chance: random.Random, *, floor: timedelta | None = None) -> timedelta:
    """Full jitter below the schedule, on top of what the destination asked for; never past the end of the patience."""
    jittered = SCHEDULE[min(failures, len(SCHEDULE) - 1)] * chance.random()
    least = min(floor or timedelta(0), LONGEST_FLOOR)
    return least + min(jittered, max(timedelta(0), PATIENCE - failing_for - least))


def wait_for_others(floor: timedelta | None, chance: random.Random) -> timedelta:
    """After an answer that is everybody's: what was asked for, and a spread that keeps the rows from coming at once."""
    least = _SHORTEST_WAIT_FOR_OTHERS if floor is None else min(floor, LONGEST_FLOOR)
    return least + _SPREAD * chance.random()


def exhausted(failing_for: timedelta) -> bool:
    return failing_for >= PATIENCE
