"""The `alerts` table for those who must not fail because nobody can be asked."""

from collections.abc import Mapping
from typing import Any

import structlog

from common.db.alerts import Severity, close_alert, open_alert
from common.db.pool import Database
from common.errors import ClearfactsError

log = structlog.get_logger()


class PostgresAlerts:
    """Opens and closes alerts of one severity; where the database is away it is only logged."""

    def __init__(self, database: Database, severity: Severity = "critical") -> None:
        self._database = database
        self._severity: Severity = severity

    async def open(self, kind: str, subject: str, details: Mapping[str, Any]) -> None:
        try:
            async with self._database.connection() as connection:
                await open_alert(connection, kind, subject, self._severity, details)
        except ClearfactsError as error:
            log.warning("alert_not_opened", kind=kind, subject=subject, error=str(error))

    async def close(self, kind: str, subject: str) -> None:
        try:
            async with self._database.connection() as connection:
                await close_alert(connection, kind, subject)
        except ClearfactsError as error:
            log.warning("alert_not_closed", kind=kind, subject=subject, error=str(error))

    async def opened(self, kind: str, subject: str) -> Mapping[str, Any] | None:
        """The details of the open alert."""
        try:
            return await self._database.fetchval(
                "SELECT details FROM alerts WHERE kind = $1 AND subject = $2 AND closed_at IS NULL", kind, subject
            )
        except ClearfactsError as error:
            log.warning("alert_not_read", kind=kind, subject=subject, error=str(error))
            return None
