"""How the system is, as far as PostgreSQL knows."""

from collections.abc import Sequence

from common.db.pool import Database
from gateway.adapters.postgres_operations import PostgresOperations
from gateway.adapters.postgres_switches import PostgresSwitches
from gateway.domain.operations import StageCount
from gateway.domain.status import Breaker, NightJob, Reachability, ServiceSign
from gateway.domain.switches import Pause

SERVICES = ("fetcher", "gateway", "notifier", "sender", "validator")

# Every service keeps a connection by its own name and asks something each second or so. Without pg_read_all_stats a
# role sees only its own sessions' times: then a service of another role is up, and nobody knows since when.
_SIGNS = """
SELECT s.name AS service, count(a.pid)::int AS connections, max(a.state_change) AS last_seen_at
FROM unnest($1::text[]) AS s(name)
LEFT JOIN pg_stat_activity a ON a.application_name = s.name AND a.datname = current_database()
GROUP BY s.name ORDER BY s.name
"""
_BREAKERS = """
SELECT destination, open, CASE WHEN open THEN why END AS why, CASE WHEN open THEN opened_at END AS opened_at,
    CASE WHEN open THEN probe_at END AS next_probe_at, CASE WHEN held_until > now() THEN held_until END AS held_until
FROM destinations ORDER BY destination, token
"""
_NIGHT = """
SELECT status, created_at, started_at, completed_at, coalesce(results, '{}') AS results,
    coalesce(error->>'message', error_message) AS error
FROM jobs WHERE job_type = 'scheduled' ORDER BY created_at DESC LIMIT 1
"""


class PostgresStatus:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._operations = PostgresOperations(database)
        self._switches = PostgresSwitches(database)

    async def services(self) -> Sequence[ServiceSign]:
        rows = await self._database.fetch(_SIGNS, list(SERVICES))
        return [ServiceSign(state="up" if row["connections"] else "down", **dict(row)) for row in rows]

    async def breakers(self) -> Sequence[Breaker]:
        return [Breaker(**dict(row)) for row in await self._database.fetch(_BREAKERS)]

    async def night_job(self) -> NightJob | None:
        row = await self._database.fetchrow(_NIGHT)
        return NightJob(**dict(row)) if row else None

    async def stages(self) -> Sequence[StageCount]:
        return await self._operations.stages()

    async def outside(self) -> Sequence[Reachability]:
        rows = await self._database.fetch("SELECT name, service, ok, why, checked_at FROM reachability ORDER BY name")
        return [Reachability(**dict(row)) for row in rows]

    async def pauses(self) -> Sequence[Pause]:
        return await self._switches.on()
