"""The live keys of one service as the table `configuration` has them now: one small query every few seconds."""

from collections.abc import Mapping

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.configuration import KEYS, REGISTRY, Value, read_stored
from common.db.pool import Database, Row

log = structlog.get_logger()

LOOK_EVERY = 2.0
_READ = "SELECT key, value FROM configuration WHERE key = ANY($1::text[])"


class LiveConfiguration:
    """What is set, by key; what is not set is not in it, and the environment's counts."""

    def __init__(
        self, database: Database, service: str, *, every: float = LOOK_EVERY, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._database = database
        self._names = [key.name for key in KEYS if key.live and key.service == service]
        self._every = every
        self._clock = clock
        self._look_at = float("-inf")
        self._values: Mapping[str, Value] = {}
        self._unusable: frozenset[tuple[str, str]] = frozenset()

    async def __call__(self) -> Mapping[str, Value]:
        """At most `every` seconds old. Raises what the database raises; what was read before is then still its word."""
        if self._clock.monotonic() >= self._look_at:
            rows = await self._database.fetch(_READ, self._names)
            self._look_at = self._clock.monotonic() + self._every
            self._take(rows)
        return self._values

    def _take(self, rows: list[Row]) -> None:
        values: dict[str, Value] = {}
        unusable: set[tuple[str, str]] = set()
        for row in rows:
            try:
                values[row["key"]] = read_stored(REGISTRY[row["key"]], row["value"])
            except ValueError as error:  # written by another version of us, or by hand
                unusable.add((row["key"], row["value"]))
                if (row["key"], row["value"]) not in self._unusable:
                    log.warning("configuration_not_usable", key=row["key"], error=str(error))
        if values != self._values:
            log.info("configuration_changed", **values)
        self._values, self._unusable = values, frozenset(unusable)
