"""The configuration as an admin sees and changes it. These shapes are the API's answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common.configuration import REGISTRY, Key, Kind, Value
from gateway.domain.faults import FieldRefused, NotAllowedNow, NotFound


@dataclass(frozen=True, slots=True)
class ConfigurationEntry:
    """`value` is null where nobody has set one: then `environment` counts, and without that `default`.

    `live`: heeded by `service` within seconds; else it is read at the start only and cannot be changed here.
    """

    key: str
    kind: Kind
    service: str
    live: bool
    description: str
    environment: str | None
    default: int | float | str
    minimum: float | None
    maximum: float | None
    words: list[str]
    value: int | float | str | None
    version: int
    changed_at: datetime | None
    changed_by: str | None


@dataclass(frozen=True, slots=True)
class ConfigurationVersion:
    """One change; null stands for not set. Version 0, before the first one, is not in the list."""

    version: int
    old_value: int | float | str | None
    new_value: int | float | str | None
    user_id: UUID
    username: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConfigurationDetail(ConfigurationEntry):
    """With its newest 100 changes, the newest first."""

    history: list[ConfigurationVersion]


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database has of a key."""

    value: Value | None
    version: int
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class Setting:
    """Set the key to this, or to nothing, if it still is at that version. `back_to`: the version that it repeats."""

    key: str
    value: Value | None
    expected_version: int
    reason: str
    back_to: int | None = None

    @property
    def details(self) -> Mapping[str, Any]:
        """For the audit log; no value is a secret here."""
        told = {"key": self.key, "value": self.value, "version": self.expected_version + 1, "reason": self.reason}
        return told if self.back_to is None else {**told, "back_to": self.back_to}


def key_named(name: str) -> Key:
    """Raises NotFound."""
    if (key := REGISTRY.get(name)) is None:
        raise NotFound("configuration key", name)
    return key


def checked(key: Key, value: Any) -> Value:
    """Raises NotAllowedNow for a key that is not live, FieldRefused for a value that is none of its."""
    if not key.live:
        raise NotAllowedNow(
            f"It is read at the start only: set {key.environment} and restart the {key.service}",
            {"environment": key.environment, "service": key.service},
        )
    try:
        return key.check(value)
    except ValueError as error:
        raise FieldRefused("value", "configuration_value", str(error).capitalize()) from None


def entry(key: Key, found: Stored | None) -> ConfigurationEntry:
    return ConfigurationEntry(
        key.name, key.kind, key.service, key.live, key.description, key.environment, key.default, key.minimum,
        key.maximum, list(key.words), found.value if found else None, found.version if found else 0,
        found.changed_at if found else None, found.changed_by if found else None,
    )  # fmt: skip


def detail(key: Key, found: Stored | None, history: list[ConfigurationVersion]) -> ConfigurationDetail:
    whole = entry(key, found)
    fields = {name: getattr(whole, name) for name in ConfigurationEntry.__dataclass_fields__}
    return ConfigurationDetail(**fields, history=history)
