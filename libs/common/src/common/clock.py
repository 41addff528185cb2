"""Time, ids and chance, passed in so that a test can own them."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

from uuid_utils.compat import uuid7


def _utc_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the one place where the wall clock is read


@dataclass(frozen=True, slots=True)
class Clock:
    """`now` is aware, in UTC; `monotonic` is in seconds, for deadlines within one process."""

    now: Callable[[], datetime] = _utc_now
    monotonic: Callable[[], float] = monotonic
    new_id: Callable[[], UUID] = uuid7
    chance: random.Random = field(default_factory=random.SystemRandom)


SYSTEM_CLOCK = Clock()
