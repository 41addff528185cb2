"""The `alerts` table: how any part asks for a person. The notifier tells each when it opens and when it closes."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import orjson

from common.db.pool import Connection

Severity: TypeAlias = Literal["critical", "warning", "info"]

ON_OPEN_ALERT = "ON CONFLICT (kind, subject) WHERE closed_at IS NULL DO NOTHING"
"""For an INSERT into `alerts` that is part of a larger statement: one open alert per kind and subject."""


async def open_alert(
    connection: Connection, kind: str, subject: str, severity: Severity, details: Mapping[str, Any] | None = None
) -> None:
    """Opening one that is open changes nothing."""
    await connection.execute(
        f"INSERT INTO alerts (kind, subject, severity, details) VALUES ($1, $2, $3, $4::text::jsonb) {ON_OPEN_ALERT}",
        kind,
        subject,
        severity,
        orjson.dumps(details or {}, default=str).decode(),
    )


async def close_alert(connection: Connection, kind: str, subject: str) -> None:
    """Closing one that is not open changes nothing."""
    await connection.execute(
        "UPDATE alerts SET closed_at = now() WHERE kind = $1 AND subject = $2 AND closed_at IS NULL", kind, subject
    )
