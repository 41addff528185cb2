"""Switches in PostgreSQL. Every replica of the paused service reads them once a second."""

from collections.abc import Sequence

from common.db import switches
from common.db.pool import Database
from gateway.adapters.postgres_audit import write_audit
from gateway.domain.switches import Flip, Pause


class PostgresSwitches:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def on(self) -> Sequence[Pause]:
        """All pauses that are on, the oldest first."""
        return [_pause(switch) for switch in await switches.every_switch(self._database)]

    async def flip(self, flip: Flip) -> bool:
        """The switch, its alert and the audit entry, or nothing."""
        scope = flip.administration or switches.EVERYTHING
        async with self._database.transaction() as connection:
            if flip.pause:
                changed = await switches.pause(
                    connection, flip.service, scope, reason=flip.reason, actor=flip.user.username
                )
            else:
                changed = await switches.resume(connection, flip.service, scope)
            if changed is None:
                return False
            await write_audit(
                connection, action=flip.action, user_id=flip.user.id, caller=flip.caller, resource=("switch", None),
                details=flip.details,
            )  # fmt: skip
        return True


def _pause(switch: switches.Switch) -> Pause:
    administration = None if switch.scope == switches.EVERYTHING else switch.scope
    return Pause(switch.service, administration, switch.reason, switch.actor, switch.at)
