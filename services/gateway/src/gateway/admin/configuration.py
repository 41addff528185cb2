"""The configuration: what it is, what it was, and changing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from common.configuration import KEYS, Value
from gateway.domain.configuration import (
    ConfigurationDetail,
    ConfigurationEntry,
    ConfigurationVersion,
    Setting,
    Stored,
    checked,
    detail,
    entry,
    key_named,
)
from gateway.domain.faults import NotAllowedNow, NotFound
from gateway.domain.readings import Page
from gateway.domain.users import By

log = structlog.get_logger()

SHOWN = 100
"""How many changes of a key are shown."""


class Configurations(Protocol):
    async def stored(self) -> Mapping[str, Stored]:
        """Every key that was ever changed."""
        ...

    async def history(self, key: str, limit: int) -> Sequence[ConfigurationVersion]:
        """The newest first."""
        ...

    async def version(self, key: str, number: int) -> ConfigurationVersion | None: ...

    async def write(self, setting: Setting, by: By) -> bool:
        """Value, version and audit entry in one transaction; False, and nothing, where the version is another."""
        ...


@dataclass(frozen=True, slots=True)
class Configure:
    configurations: Configurations

    async def all(self) -> Page[ConfigurationEntry]:
        """Every key of the registry, all on one page."""
        found = await self.configurations.stored()
        return Page([entry(key, found.get(key.name)) for key in KEYS], None)

    async def one(self, name: str) -> ConfigurationDetail:
        """Raises NotFound."""
        key = key_named(name)
        history = list(await self.configurations.history(name, SHOWN))
        return detail(key, (await self.configurations.stored()).get(name), history)

    async def put(self, name: str, value: Any, *, expected_version: int, reason: str, by: By) -> ConfigurationDetail:
        """Raises NotFound, FieldRefused, and NotAllowedNow where it is not live or changed meanwhile."""
        key = key_named(name)
        return await self._write(Setting(name, checked(key, value), expected_version, reason), by)

    async def roll_back(self, name: str, to: int, *, expected_version: int, reason: str, by: By) -> ConfigurationDetail:
        """What it was at version `to` again, as a new version; 0 unsets it. Raises as `put` does."""
        key = key_named(name)
        value: Value | None = None
        if to:
            old = await self.configurations.version(name, to)
            if old is None:
                raise NotFound("configuration version", f"{name} {to}")
            value = old.new_value
        if value is not None or not key.live:
            value = checked(key, value)  # the rules may be others by now
        return await self._write(Setting(name, value, expected_version, reason, to), by)

    async def _write(self, setting: Setting, by: By) -> ConfigurationDetail:
        written = await self.configurations.write(setting, by)
        now = await self.one(setting.key)
        if not written:
            raise NotAllowedNow(
                "It was changed meanwhile; look at it again", {"version": now.version, "value": now.value}
            )
        log.warning("configuration_set", key=setting.key, value=setting.value, by=str(by.user.id))
        return now
