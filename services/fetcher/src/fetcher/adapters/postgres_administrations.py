"""Whose documents are ours: the `administrations` table, read again once a minute."""

from collections.abc import Iterable

from common.clock import SYSTEM_CLOCK, Clock
from common.db.pool import Database
from ubl.identity import Direction
from ubl.numbers import identifier_key
from ubl.placing import Ours

FRESH_FOR = 60.0


class PostgresAdministrations:
    def __init__(
        self, database: Database, *, default: str | None, both: Direction, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._database = database
        self._default = default
        self._both = both
        self._clock = clock
        self._ours: Ours | None = None
        self._read_at = 0.0

    async def open(self, numbers: Iterable[str]) -> None:
        """Make the settings' numbers known, in normal form; nothing is removed."""
        await self._database.execute(
            "INSERT INTO administrations (enterprise_number) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING",
            sorted({identifier_key(number) or number for number in numbers}),
        )

    async def __call__(self) -> Ours:
        """The administrations, at most a minute old."""
        now = self._clock.monotonic()
        if self._ours is None or now - self._read_at > FRESH_FOR:
            rows = await self._database.fetch("SELECT enterprise_number FROM administrations")
            self._ours = Ours(frozenset(row["enterprise_number"] for row in rows), self._default, self._both)
            self._read_at = now
        return self._ours
