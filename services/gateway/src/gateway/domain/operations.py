"""How the system is: alerts, what waits where, and what this process was told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args
from uuid import UUID

from gateway.domain.access import Caller, User

AlertState: TypeAlias = Literal["open", "closed", "all"]
ReportedKind: TypeAlias = Literal["night_missing", "preflight"]
"""Kinds that an operator, or the schedule, may open: nothing in the database can tell of them."""
Severity: TypeAlias = Literal["critical", "warning", "info"]

REPORTED: frozenset[str] = frozenset(get_args(ReportedKind))
CLOSED_BY_PEOPLE = frozenset({"duplicate_suspected", "retention_gap"}) | REPORTED
"""Kinds that no part closes by itself: who reported it does, or a person who has dealt with it."""


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
class Report:
    """Somebody, or the schedule, asks for a person."""

    kind: ReportedKind
    subject: str
    severity: Severity
    details: Mapping[str, str]
    user: User
    caller: Caller


@dataclass(frozen=True, slots=True)
class JobNotification:
    """A message about a job, and whether it arrived; `next_at` while it is tried again."""

    id: UUID
    channel: str
    kind: str
    status: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    next_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class JobNotifications:
    """Oldest first."""

    items: list[JobNotification]


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
