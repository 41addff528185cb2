"""Endpoints of integrators in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from common.contracts.webhooks import WebhookEvent
from common.db.alerts import close_alert
from common.db.pool import Connection, Database, Row
from common.db.webhooks import HEALTH, STOPPED
from gateway.adapters.postgres_audit import write_audit
from gateway.adapters.webhook_requests import earlier, keep
from gateway.domain.access import Caller, User
from gateway.domain.faults import NotAllowedNow, NotFound
from gateway.domain.webhooks import MOST_ENDPOINTS, Action, Asked, EndpointChange, EndpointReading, NewEndpoint

STATE = f"""CASE WHEN w.disabled_at IS NOT NULL OR ({STOPPED} AND h.why = 'gone') THEN 'disabled'
    WHEN {STOPPED} THEN 'paused' ELSE 'active' END"""
_READING = f"""
SELECT w.id, w.url, w.description, w.events, {STATE} AS state,
    CASE WHEN w.disabled_at IS NOT NULL THEN 'by_admin' WHEN {STOPPED} THEN h.why END AS why,
    CASE WHEN w.disabled_at IS NOT NULL THEN w.disabled_at WHEN {STOPPED} THEN h.stopped_at END AS stopped_at,
    h.failing_since, h.delivered_at,
    (SELECT count(*) FROM (SELECT FROM webhook_deliveries d
        WHERE d.endpoint_id = w.id AND d.wake_at IS NOT NULL LIMIT 10000) counted) AS waiting,
    CASE WHEN w.previous_until > now() THEN w.previous_until END AS previous_secret_until, w.created_at, w.updated_at
FROM {HEALTH} WHERE w.removed_at IS NULL
"""
_CREATE = """
INSERT INTO webhook_endpoints (url, description, events, key_id) VALUES ($1, $2, $3, $4) RETURNING id
"""
_CHANGE = """
UPDATE webhook_endpoints SET url = coalesce($2, url), description = coalesce($3, description),
    events = coalesce($4, events), updated_at = now()
WHERE id = $1
"""
# What was collected while it was paused goes then; what happened while it was disabled was not collected.
_ENABLE = f"""
UPDATE webhook_endpoints e SET disabled_at = NULL, enabled_at = now(), updated_at = now(),
    since = CASE WHEN (SELECT {STATE} FROM {HEALTH} WHERE w.id = e.id) = 'disabled' THEN now() ELSE e.since END
WHERE id = $1
"""
_ACTIONS: Mapping[Action, str] = {
    "enable": _ENABLE,
    "disable": "UPDATE webhook_endpoints SET disabled_at = now(), updated_at = now() WHERE id = $1",
    "remove": "UPDATE webhook_endpoints SET removed_at = now(), url = '', updated_at = now() WHERE id = $1",
}
_NOTHING_TO_DO: Mapping[Action, Sequence[str | None]] = {"enable": (None,), "disable": ("by_admin",), "remove": ()}
"""For which `why` an action has been done already."""
_ROTATE = """
UPDATE webhook_endpoints SET secret_number = secret_number + 1, previous_until = $2, key_id = $3, updated_at = now()
WHERE id = $1 RETURNING secret_number
"""


class PostgresEndpoints:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, *, before: UUID | None, limit: int) -> Sequence[EndpointReading]:
        behind, values = ("AND w.id < $1", [before]) if before is not None else ("", [])
        rows = await self._database.fetch(f"{_READING} {behind} ORDER BY w.id DESC LIMIT {limit:d}", *values)
        return [_reading(row) for row in rows]

    async def one(self, webhook_id: UUID) -> EndpointReading:
        async with self._database.connection() as connection:
            return await read_endpoint(connection, webhook_id)

    async def create(self, new: NewEndpoint, key_id: str, asked: Asked) -> tuple[EndpointReading, bool]:
        async with self._database.transaction() as connection:
            if (answer := await earlier(connection, asked)) is not None:
                return await read_endpoint(connection, UUID(answer["id"])), True
            await connection.execute("LOCK TABLE webhook_endpoints IN SHARE ROW EXCLUSIVE MODE")  # counted, then added
            sql = "SELECT count(*) FROM webhook_endpoints WHERE removed_at IS NULL"
            if await connection.fetchval(sql) >= MOST_ENDPOINTS:
                raise NotAllowedNow(f"There are {MOST_ENDPOINTS} endpoints; remove one", {"limit": MOST_ENDPOINTS})
            made: UUID = await connection.fetchval(_CREATE, new.url, new.description, list(new.events), key_id)
            await keep(connection, asked, {"id": str(made)})
            details = {"host": _host(new.url), "events": list(new.events), "description": new.description}
            await audit(connection, "create", made, asked.user, asked.caller, details)
            return await read_endpoint(connection, made), False

    async def change(self, webhook_id: UUID, change: EndpointChange, user: User, caller: Caller) -> EndpointReading:
        async with self._database.transaction() as connection:
            await lock_endpoint(connection, webhook_id)
            events = list(change.events) if change.events is not None else None
            await connection.execute(_CHANGE, webhook_id, change.url, change.description, events)
            changed = {"host": _host(change.url), "events": events, "description": change.description}
            details = {name: value for name, value in changed.items() if value is not None}
            await audit(connection, "change", webhook_id, user, caller, details)
            return await read_endpoint(connection, webhook_id)

    async def act(self, webhook_id: UUID, action: Action, reason: str, user: User, caller: Caller) -> EndpointReading:
        async with self._database.transaction() as connection:
            before = await lock_endpoint(connection, webhook_id)
            if before.why in _NOTHING_TO_DO[action]:
                return before
            await connection.execute(_ACTIONS[action], webhook_id)
            await close_alert(connection, "webhook_stopped", str(webhook_id))
            await audit(connection, action, webhook_id, user, caller, {"reason": reason})
            return before if action == "remove" else await read_endpoint(connection, webhook_id)

    async def rotate(
        self, webhook_id: UUID, key_id: str, until: datetime, reason: str, asked: Asked
    ) -> tuple[EndpointReading, int, bool]:
        async with self._database.transaction() as connection:
            if (answer := await earlier(connection, asked)) is not None:
                return await read_endpoint(connection, webhook_id), answer["number"], True
            await lock_endpoint(connection, webhook_id)
            number: int = await connection.fetchval(_ROTATE, webhook_id, until, key_id)
            await keep(connection, asked, {"number": number})
            details = {"reason": reason, "previous_until": until.isoformat()}
            await audit(connection, "rotate", webhook_id, asked.user, asked.caller, details)
            return await read_endpoint(connection, webhook_id), number, False


async def read_endpoint(connection: Connection, webhook_id: UUID) -> EndpointReading:
    """Raises NotFound."""
    row = await connection.fetchrow(f"{_READING} AND w.id = $1", webhook_id)
    if row is None:
        raise NotFound("webhook", str(webhook_id))
    return _reading(row)


async def lock_endpoint(connection: Connection, webhook_id: UUID) -> EndpointReading:
    """As it stands, until the commit. Raises NotFound."""
    await connection.execute("SELECT FROM webhook_endpoints WHERE id = $1 FOR UPDATE", webhook_id)
    return await read_endpoint(connection, webhook_id)


async def audit(
    connection: Connection, what: str, webhook_id: UUID, user: User, caller: Caller, details: Mapping[str, Any]
) -> None:
    """Of an address only the host: the rest may hold a token."""
    await write_audit(
        connection, action=f"webhooks.{what}", user_id=user.id, caller=caller, resource=("webhook", webhook_id),
        details=details,
    )  # fmt: skip


def _host(url: str | None) -> str | None:
    return urlsplit(url).hostname if url is not None else None


def _reading(row: Row) -> EndpointReading:
    values: dict[str, Any] = {**dict(row), "events": [WebhookEvent(name) for name in row["events"]]}
    return EndpointReading(**values)
