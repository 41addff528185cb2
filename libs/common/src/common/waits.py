"""Waits that are meant: whoever waits for infrastructure or a worker declares it, and how long at most.

The watchdog leaves a consumer alone while one is declared. A declaration belongs to the consumer in whose task it is
made (a context variable), so that the waits of others never hide a consumer that hangs.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from common.clock import SYSTEM_CLOCK, Clock


class Waits:
    """The declared waits of one consumer."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._until: dict[object, float] = {}

    @contextmanager
    def declared(self, seconds: float) -> Generator[None]:
        """A wait of at most `seconds`; what lasts longer is no declared wait any more."""
        token = object()
        self._until[token] = self._clock.monotonic() + seconds
        try:
            yield
        finally:
            del self._until[token]

    def any(self) -> bool:
        now = self._clock.monotonic()
        return any(until > now for until in self._until.values())


current: ContextVar[Waits | None] = ContextVar("waits", default=None)
"""The waits of the consumer whose handler runs; None elsewhere."""


@contextmanager
def declared(seconds: float) -> Generator[None]:
    """Declare a wait of at most `seconds` where somebody watches; elsewhere nothing."""
    waits = current.get()
    if waits is None:
        yield
    else:
        with waits.declared(seconds):
            yield
