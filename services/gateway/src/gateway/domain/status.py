"""How the whole system is, at a glance; and what a user interface has to know. These shapes are the API's answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from gateway.domain.operations import StageCount
from gateway.domain.switches import Pause

State: TypeAlias = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Dependency:
    name: str
    state: State
    milliseconds: int
    """How long it took to answer, or to be given up."""


@dataclass(frozen=True, slots=True)
class ServiceSign:
    """What the database sees of a service: `connections` of all replicas, and when one last did something."""

    service: str
    state: State
    connections: int
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class GroupLag:
    """Records of a topic that a consumer group has not acknowledged; null where the broker does not say."""

    group: str
    topic: str
    records: int | None


@dataclass(frozen=True, slots=True)
class Breaker:
    """Of one destination; while it is open nothing is sent. `held_until`: so long the destination asked for quiet."""

    destination: str
    open: bool
    why: str | None
    opened_at: datetime | None
    next_probe_at: datetime | None
    held_until: datetime | None


@dataclass(frozen=True, slots=True)
class Reachability:
    """Whether something outside answered when `service` last asked it; `ok` is null where it cannot be asked."""

    name: str
    service: str
    ok: bool | None
    why: str | None
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class NightJob:
    """The newest job that the schedule started."""

    status: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    results: Mapping[str, Any]
    error: str | None


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """`degraded`: something is down or a breaker is open; a pause is somebody's wish and no fault."""

    state: Literal["ok", "degraded"]
    checked_at: datetime
    last_night: str
    dependencies: list[Dependency]
    services: list[ServiceSign]
    lag: list[GroupLag]
    stages: list[StageCount]
    breakers: list[Breaker]
    paused: list[Pause]
    outside: list[Reachability] = field(default_factory=list[Reachability])


@dataclass(frozen=True, slots=True)
class UiConfig:
    """`features`: the parts of the API that this version has, by tag; `notice`: a line to show everybody."""

    name: str
    environment: str
    version: str
    languages: list[str]
    features: list[str]
    limits: dict[str, int]
    notice: str | None


def state_of(
    dependencies: Sequence[Dependency], services: Sequence[ServiceSign], breakers: Sequence[Breaker]
) -> Literal["ok", "degraded"]:
    down = any(one.state == "down" for one in (*dependencies, *services)) or any(one.open for one in breakers)
    return "degraded" if down else "ok"


def sentence(job: NightJob | None) -> str:
    """The newest scheduled job, for people; times in UTC."""
    if job is None:
        return "No scheduled job has run yet."
    began = f"The job of {job.created_at:%Y-%m-%d %H:%M} UTC"
    match job.status:
        case "pending":
            return f"{began} waits to be taken up."
        case "running":
            return f"{began} is still running: {_numbers(job.results)}, {job.results.get('open', 0)} open."
        case "failed":
            return f"{began} failed{f': {job.error}' if job.error else ''}; {_numbers(job.results)}."
        case _:
            return f"{began} completed{_in_time(job)}: {_numbers(job.results)}."


def _in_time(job: NightJob) -> str:
    if job.completed_at is None:
        return ""
    minutes = round((job.completed_at - (job.started_at or job.created_at)).total_seconds() / 60)
    return f" in {minutes} min" if minutes else " in under a minute"


def _numbers(results: Mapping[str, Any]) -> str:
    names = (("processed", "sent"), ("duplicates", "duplicates"), ("failed", "failed"), ("held", "held"))
    return f"{results.get('total_invoices', 0)} found, " + ", ".join(
        f"{results.get(name, 0)} {said}" for name, said in names
    )
