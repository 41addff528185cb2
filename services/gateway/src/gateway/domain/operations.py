"""How the system is: alerts, what waits where, and what this process was told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from gateway.domain.access import Caller, User

AlertState: TypeAlias = Literal["open", "closed", "all"]

CLOSED_BY_PEOPLE = frozenset({"duplicate_suspected", "retention_gap"})
"""Kinds that tell of something that has happened: nothing but a person can say that it is dealt with."""


@dataclass(frozen=True, slots=True)
class AlertReading:
    """`closed_at` is null while it is open. `closed_by_people`: it stays open until somebody closes it."""

    id: UUID
    kind: str
    subject: str
    severity: str
    details: dict[str, Any]
    opened_at: datetime
    closed_at: datetime | None
    closed_by_people: bool


@dataclass(frozen=True, slots=True)
class Closing:
    """Somebody has dealt with an alert."""

    reason: str
    user: User
    caller: Caller


@dataclass(frozen=True, slots=True)
class StageCount:
    """Rows at one stage for one reason; `at_least`: counting stopped there."""

    stage: str
    reason: str | None
    count: int
    at_least: bool
    oldest_at: datetime | None
    oldest_seconds: int | None


@dataclass(frozen=True, slots=True)
class Stages:
    """Rows that are not over, and failed ones that nobody has archived."""

    items: list[StageCount]


@dataclass(frozen=True, slots=True)
class SystemSettings:
    """Of this gateway. Secrets, names and numbers of companies are only said to be set."""

    service: str
    versions: dict[str, str]
    settings: Mapping[str, str]
