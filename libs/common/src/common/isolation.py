"""Work on many items that one of them must not stop: the culprit is found in halves and parked, a storm is probed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import structlog

from common.errors import InfrastructureError, RetryableError
from common.storm import StormGuard, fingerprint
from common.waits import declared

log = structlog.get_logger()

STORM = "storm"
_LONGEST_WAIT = 5.0

Item = TypeVar("Item")


class Alerts(Protocol):
    """Asks for a person; one open alert per kind and subject."""

    async def open(self, kind: str, subject: str, details: Mapping[str, Any]) -> None: ...

    async def close(self, kind: str, subject: str) -> None: ...

    async def opened(self, kind: str, subject: str) -> Mapping[str, Any] | None:
        """The details of the open alert."""
        ...


class NoAlerts:
    """Where nobody can be asked: the log says it all the same."""

    async def open(self, kind: str, subject: str, details: Mapping[str, Any]) -> None: ...

    async def close(self, kind: str, subject: str) -> None: ...

    async def opened(self, kind: str, subject: str) -> Mapping[str, Any] | None: ...


class StormGoesOnError(RetryableError):
    """Nothing more is worked for now; what was in hand goes back."""


@dataclass(frozen=True, slots=True)
class Steps(Generic[Item]):
    """What can be done with items of one kind."""

    key: Callable[[Item], bytes]
    work: Callable[[Sequence[Item]], Awaitable[None]]
    park: Callable[[Item, str], Awaitable[None]]
    """Ends an item that fails alone by an unexpected exception, with its cause."""

    probe: Callable[[Sequence[Item]], Awaitable[None]]
    """Works one item, to see whether it passes again; `work` gets it once more afterwards."""


class Isolation:
    """One stage of one process: its consumer and its sweeper share it."""

    def __init__(self, stage: str, *, guard: StormGuard | None = None, alerts: Alerts | None = None) -> None:
        self._stage = stage
        self._guard = guard or StormGuard()
        self._alerts: Alerts = alerts or NoAlerts()
        self._met = False
        self._shown: set[str] = set()

    @property
    def storm(self) -> bool:
        return self._guard.storm is not None

    @property
    def failing(self) -> Sequence[bytes]:
        """The keys of rows that failed in this storm: one of them has to pass before it is over."""
        return self._guard.failing

    async def take(self, items: Sequence[Item], steps: Steps[Item]) -> None:
        """Work `items`, in order. Raises StormGoesOnError while too many fail alike; errors that mean "wait" pass."""
        if not items:
            return
        if not self._met:
            await self._meet()
        if self.storm:
            await self._probe(items, steps)
        await self._work(items, steps)

    async def _meet(self) -> None:
        """A storm of a process before this one, or of another: it is ours too until a row passes."""
        self._met = True
        if (known := await self._alerts.opened(STORM, self._stage)) is not None:
            self._guard.begin(str(known.get("cause")), *map(str.encode, known.get("failing", ())))

    async def _work(self, items: Sequence[Item], steps: Steps[Item]) -> None:
        try:
            await steps.work(items)
        except (InfrastructureError, RetryableError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the others
            if len(items) == 1:
                await self._alone(items[0], error, steps)
                return
            log.warning("taken_in_halves", stage=self._stage, items=len(items), cause=fingerprint(error))
        else:
            self._guard.passed(len(items))
            return
        middle = len(items) // 2
        await self._work(items[:middle], steps)
        await self._work(items[middle:], steps)

    async def _alone(self, item: Item, error: Exception, steps: Steps[Item]) -> None:
        cause, key = fingerprint(error), steps.key(item)
        known = await self._alerts.opened(STORM, self._stage)
        if known is not None and known.get("cause") == cause:
            self._guard.begin(cause, key)
        elif self._guard.failed(key, cause):
            log.critical("storm", stage=self._stage, cause=cause, exc_info=error)
            details = {"cause": cause, "failing": [key.decode()]}
            await self._alerts.open(STORM, self._stage, details)
        else:
            log.error("parked_for_a_defect", stage=self._stage, cause=cause, exc_info=self._first(cause, error))
            await steps.park(item, f"an unexpected error: {cause}")
            return
        raise StormGoesOnError(f"{self._stage}: {cause}")

    def _first(self, cause: str, error: Exception) -> Exception | None:
        """The error where its like has not been logged with its traceback before."""
        if cause in self._shown:
            return None
        self._shown.add(cause)
        return error

    async def _probe(self, items: Sequence[Item], steps: Steps[Item]) -> None:
        with declared(_LONGEST_WAIT):
            await asyncio.sleep(self._guard.seconds_to_probe())
        chosen = items[self._guard.choose([steps.key(item) for item in items])]
        key = steps.key(chosen)
        try:
            await steps.probe([chosen])
        except (InfrastructureError, RetryableError):
            raise
        except Exception as error:  # noqa: BLE001 - the storm goes on, or another began
            self._guard.probed(key, passed=False)
            raise StormGoesOnError(f"{self._stage}: {fingerprint(error)}") from None
        if not self._guard.probed(key, passed=True):
            raise StormGoesOnError(f"{self._stage}: a row passed that had not failed")
        log.info("storm_over", stage=self._stage)
        await self._alerts.close(STORM, self._stage)
