"""The configuration in PostgreSQL: the value that counts, and every version that there was."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from common.configuration import REGISTRY, stored
from common.db.pool import Database, Row
from gateway.adapters.postgres_audit import write_audit
from gateway.domain.configuration import ConfigurationVersion, Setting, Stored
from gateway.domain.users import By

_STORED = """
SELECT DISTINCT ON (v.key) v.key, v.version, v.at, u.username, c.value
FROM configuration_versions v JOIN users u ON u.id = v.user_id LEFT JOIN configuration c ON c.key = v.key
ORDER BY v.key, v.version DESC
"""
_HISTORY = """
SELECT v.version, v.old_value, v.new_value, v.user_id, u.username, v.reason, v.at
FROM configuration_versions v JOIN users u ON u.id = v.user_id WHERE v.key = $1
"""
# Of two who write at once the second waits for the first's row, and then finds the number taken.
_NEXT = """
INSERT INTO configuration_versions (key, version, old_value, new_value, user_id, reason)
SELECT $1, $2::int + 1, (SELECT value FROM configuration WHERE key = $1), $3, $4, $5
WHERE $2::int = (SELECT coalesce(max(version), 0) FROM configuration_versions WHERE key = $1)
ON CONFLICT DO NOTHING RETURNING version
"""
_SET = """
INSERT INTO configuration (key, value, description) VALUES ($1, $2, $3)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, description = excluded.description, updated_at = now()
"""


class PostgresConfiguration:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def stored(self) -> Mapping[str, Stored]:
        rows = await self._database.fetch(_STORED)
        return {row["key"]: Stored(_value(row["value"]), row["version"], row["at"], row["username"]) for row in rows}

    async def history(self, key: str, limit: int) -> Sequence[ConfigurationVersion]:
        rows = await self._database.fetch(f"{_HISTORY} ORDER BY v.version DESC LIMIT $2", key, limit)
        return [_version(row) for row in rows]

    async def version(self, key: str, number: int) -> ConfigurationVersion | None:
        row = await self._database.fetchrow(f"{_HISTORY} AND v.version = $2", key, number)
        return _version(row) if row else None

    async def write(self, setting: Setting, by: By) -> bool:
        value = None if setting.value is None else stored(setting.value)
        async with self._database.transaction() as connection:
            number = await connection.fetchval(
                _NEXT, setting.key, setting.expected_version, value, by.user.id, setting.reason
            )
            if number is None:
                return False
            if value is None:
                await connection.execute("DELETE FROM configuration WHERE key = $1", setting.key)
            else:
                await connection.execute(_SET, setting.key, value, REGISTRY[setting.key].description)
            await write_audit(
                connection, action="configuration.set" if setting.back_to is None else "configuration.roll_back",
                user_id=by.user.id, caller=by.caller, resource=("configuration", None), details=setting.details,
            )  # fmt: skip
        return True


def _version(row: Row) -> ConfigurationVersion:
    values: dict[str, Any] = dict(row)
    return ConfigurationVersion(**{
        **values, "old_value": _value(row["old_value"]), "new_value": _value(row["new_value"])
    })  # fmt: skip


def _value(text: str | None) -> Any:
    """Null for what is no JSON: somebody wrote it by hand, and no service uses it."""
    try:
        return None if text is None else orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
