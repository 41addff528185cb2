"""The switches of the night shift: a row is a pause, of a whole service or of one administration within it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from common.db.alerts import close_alert, open_alert
from common.db.pool import Connection, Database, Row

EVERYTHING: Final = "*"
"""The scope that pauses the whole service; any other is an administration."""

_COLUMNS = "service, scope, reason, actor, at"


@dataclass(frozen=True, slots=True)
class Switch:
    """A pause that is on."""

    service: str
    scope: str
    reason: str
    actor: str
    at: datetime

    @property
    def subject(self) -> str:
        """How its alert names it."""
        return subject(self.service, self.scope)


def subject(service: str, scope: str) -> str:
    return service if scope == EVERYTHING else f"{service} {scope}"


async def pause(connection: Connection, service: str, scope: str, *, reason: str, actor: str) -> Switch | None:
    """Switch off, and open the alert that says so; None, and nothing changed, where it is off already."""
    row = await connection.fetchrow(
        f"INSERT INTO switches (service, scope, reason, actor) VALUES ($1, $2, $3, $4) "
        f"ON CONFLICT DO NOTHING RETURNING {_COLUMNS}",
        service, scope, reason, actor,
    )  # fmt: skip
    if row is None:
        return None
    switch = _switch(row)
    await open_alert(connection, "paused", switch.subject, "warning", {"reason": reason, "actor": actor})
    return switch


async def resume(connection: Connection, service: str, scope: str) -> Switch | None:
    """Switch on again, and close the alert; the pause that ended, or None where there was none."""
    row = await connection.fetchrow(
        f"DELETE FROM switches WHERE service = $1 AND scope = $2 RETURNING {_COLUMNS}", service, scope
    )
    if row is None:
        return None
    await close_alert(connection, "paused", subject(service, scope))
    return _switch(row)


async def paused(database: Database, service: str) -> frozenset[str]:
    """The scopes that are off."""
    return frozenset(row["scope"] for row in await database.fetch(
        "SELECT scope FROM switches WHERE service = $1", service
    ))  # fmt: skip


async def every_switch(database: Database) -> Sequence[Switch]:
    """All pauses, the oldest first."""
    return [
        _switch(row) for row in await database.fetch(f"SELECT {_COLUMNS} FROM switches ORDER BY at, service, scope")
    ]


def _switch(row: Row) -> Switch:
    return Switch(**dict(row))
