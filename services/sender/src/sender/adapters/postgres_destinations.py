"""The `destinations` table: breaker, floor and bucket of one destination and token, the same for every replica."""

import hashlib
from datetime import timedelta
from urllib.parse import urlsplit

from common.db.alerts import close_alert, open_alert
from common.db.pool import Database, Row
from sender.domain.flow import Change, Standing

ALERT = "breaker_open"

_STANDING = """version, open, level, greatest(probe_at - now(), interval '0') AS until_probe,
    now() - closed_at AS closed_for, greatest(held_until - now(), interval '0') AS held_for"""

_READ = f"SELECT {_STANDING} FROM destinations WHERE destination = $1 AND token = $2"

_FIRST = "INSERT INTO destinations (destination, token) VALUES ($1, $2) ON CONFLICT DO NOTHING"

_CHANGE = f"""
UPDATE destinations SET version = version + 1, open = $4, level = $5, probe_at = now() + $6, why = coalesce($7, why),
    opened_at = CASE WHEN $4 AND NOT open THEN now() ELSE opened_at END,
    closed_at = CASE WHEN open AND NOT $4 THEN now() ELSE closed_at END
WHERE destination = $1 AND token = $2 AND version = $3
RETURNING {_STANDING}
"""

_HOLD = """
UPDATE destinations SET held_until = greatest(held_until, now() + $3::interval) WHERE destination = $1 AND token = $2
"""

_LEASE = """
WITH filled AS MATERIALIZED (
    SELECT least($4::float8,
        tokens + $3::float8 * greatest(0, extract(epoch FROM now() - refilled_at)::float8)) AS tokens
    FROM destinations WHERE destination = $1 AND token = $2 FOR UPDATE
)
UPDATE destinations d SET tokens = f.tokens - least($4, floor(f.tokens)), refilled_at = greatest(d.refilled_at, now())
FROM filled f WHERE d.destination = $1 AND d.token = $2
RETURNING least($4, floor(f.tokens))::int
"""


class PostgresDestinations:
    """`url` and `token` as they are configured; the row keeps an address without secrets, and a fingerprint."""

    def __init__(self, database: Database, url: str, token: str | None) -> None:
        self._database = database
        self._key = (place(url), fingerprint(token))

    async def read(self) -> Standing:
        """What all know now; the first reader makes the row."""
        while (row := await self._database.fetchrow(_READ, *self._key)) is None:
            await self._database.execute(_FIRST, *self._key)
        return _standing(row)

    async def change(self, seen: Standing, to: Change) -> Standing | None:
        """Compare and set; opening and closing also open and close the alert, in one transaction."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                _CHANGE, *self._key, seen.version, to.open, to.level, to.until_probe, to.why and to.why[:500]
            )
            if row is None:
                return None
            if to.open and not seen.open:
                await open_alert(connection, ALERT, self._subject, "critical", {"why": to.why})
            elif seen.open and not to.open:
                await close_alert(connection, ALERT, self._subject)
        return _standing(row)

    async def hold(self, wait: timedelta) -> None:
        """Keep everybody away for that long, or as long as they are kept away already."""
        await self._database.execute(_HOLD, *self._key, wait)

    async def lease(self, rate: float, most: int) -> int:
        """Whole tokens; the rest stays in the bucket."""
        tokens: int | None = await self._database.fetchval(_LEASE, *self._key, rate, float(most))
        return tokens or 0

    @property
    def _subject(self) -> str:
        return " ".join(self._key)


def place(url: str) -> str:
    """A destination's address without what may be secret in it."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"


def fingerprint(token: str | None) -> str:
    """Tells tokens apart and gives none away."""
    return hashlib.sha256(token.encode()).hexdigest()[:12] if token else "none"


def _standing(row: Row) -> Standing:
    return Standing(**dict(row))
