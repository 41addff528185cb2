"""What was asked for with an Idempotency-Key, and what was answered; never a secret."""

from collections.abc import Mapping
from typing import Any

from common.db.pool import Connection
from gateway.domain.faults import IdempotencyKeyReused
from gateway.domain.webhooks import Asked


async def earlier(connection: Connection, asked: Asked) -> Mapping[str, Any] | None:
    """The answer to this key; two with one key take turns from here to their commit. Raises IdempotencyKeyReused."""
    if asked.key is None:
        return None
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 2))", f"{asked.user.id}/{asked.key}")
    row = await connection.fetchrow(
        "SELECT fingerprint, answer FROM webhook_requests WHERE user_id = $1 AND key = $2", asked.user.id, asked.key
    )
    if row is None:
        return None
    if row["fingerprint"] != asked.fingerprint:
        raise IdempotencyKeyReused
    return row["answer"]


async def keep(connection: Connection, asked: Asked, answer: Mapping[str, Any]) -> None:
    if asked.key is not None:
        await connection.execute(
            "INSERT INTO webhook_requests (user_id, key, fingerprint, answer) VALUES ($1, $2, $3, $4)",
            asked.user.id, asked.key, asked.fingerprint, answer,
        )  # fmt: skip
