"""The append-only audit log. An entry leaves in the transaction of the change that it tells of."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from common.db.pool import Connection
from gateway.domain.access import Caller

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
