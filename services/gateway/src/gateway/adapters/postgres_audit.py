"""The append-only audit log. An entry leaves in the transaction of the change that it tells of."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common.db.pool import Connection, Database
from gateway.adapters.conditions import Conditions
from gateway.domain.access import Caller
from gateway.domain.audit import AuditEntry, AuditFilter

_INSERT = """
INSERT INTO audit_logs (user_id, action, resource_type, resource_id, details, ip_address, user_agent)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


async def write_audit(
    connection: Connection,
    *,
    action: str,
    user_id: UUID | None,
    caller: Caller,
    resource: tuple[str, UUID | None],
    details: Mapping[str, Any] | None = None,
) -> None:
    """`resource`: its type and id. `details` must hold no secret and no document."""
    whole = {**(details or {}), "correlation_id": caller.correlation_id}
    await connection.execute(_INSERT, user_id, action, *resource, whole, caller.ip, caller.user_agent)


# The page is cut by the index on the time before anything is joined.
_ENTRIES = """
SELECT a.id, a.created_at AS at, a.user_id, u.username, a.action, a.resource_type, a.resource_id, a.details,
    host(a.ip_address) AS ip_address, a.user_agent
FROM audit_logs a LEFT JOIN users u ON u.id = a.user_id
"""


class PostgresAudit:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(
        self, chosen: AuditFilter, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[AuditEntry]:
        where = Conditions()
        if chosen.actor is not None:
            where.add("a.user_id = (SELECT id FROM users WHERE username = {})", chosen.actor)
        where.equal("a.action", chosen.action)
        where.equal("a.resource_type", chosen.resource_type)
        where.equal("a.resource_id", chosen.resource_id)
        if chosen.since is not None:
            where.add("a.created_at >= {}", chosen.since)
        if chosen.until is not None:
            where.add("a.created_at < {}", chosen.until)
        if before is not None:
            where.add("(a.created_at, a.id) < ({}, {})", *before)
        sql = f"{_ENTRIES} {where.sql} ORDER BY a.created_at DESC, a.id DESC LIMIT {limit:d}"
        return [AuditEntry(**dict(row)) for row in await self._database.fetch(sql, *where.values)]
