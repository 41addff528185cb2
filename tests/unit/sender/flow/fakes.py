"""What replicas share, in memory, by the same rules as in PostgreSQL; and a loop whose time is the test's."""

import asyncio
import selectors
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from math import floor

from sender.domain.flow import Change, Standing


@dataclass(slots=True)
class FakeShared:
    """One destination and token; `now` in seconds."""

    now: Callable[[], float]
    version: int = 1
    open: bool = False
    level: int = 0
    probe_at: float = 0.0
    closed_at: float | None = None
    held_until: float = 0.0
    tokens: float = 0.0
    refilled_at: float = 0.0
    changes: list[tuple[float, Change]] = field(default_factory=list[tuple[float, Change]])
    leases: int = 0
    errors: list[Exception] = field(default_factory=list[Exception])

    async def read(self) -> Standing:
        if self.errors:
            raise self.errors.pop(0)
        return self._standing()

    async def change(self, seen: Standing, to: Change) -> Standing | None:
        if seen.version != self.version:
            return None
        self.changes.append((self.now(), to))
        if self.open and not to.open:
            self.closed_at = self.now()
        self.version += 1
        self.open, self.level, self.probe_at = to.open, to.level, self.now() + to.until_probe.total_seconds()
        return self._standing()

    async def hold(self, wait: timedelta) -> None:
        self.held_until = max(self.held_until, self.now() + wait.total_seconds())

    async def lease(self, rate: float, most: int) -> int:
        self.leases += 1
        full = min(float(most), self.tokens + rate * (self.now() - self.refilled_at))
        given = min(most, floor(full))
        self.tokens, self.refilled_at = full - given, self.now()
        return given

    def _standing(self) -> Standing:
        now = self.now()
        return Standing(
            version=self.version,
            open=self.open,
            level=self.level,
            until_probe=timedelta(seconds=max(0.0, self.probe_at - now)),
            closed_for=None if self.closed_at is None else timedelta(seconds=now - self.closed_at),
            held_for=timedelta(seconds=max(0.0, self.held_until - now)),
        )


class _Skipping(selectors.DefaultSelector):
    """Waits for nothing: what would have been waited is added to the time."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        assert ready or timeout is not None, "everybody waits for somebody else: this would hang"
        if not ready and timeout is not None:
            self.passed += max(timeout, 0.0)
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop in which an hour of sleeping lasts as long as the work within it."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.passed
