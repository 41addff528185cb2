"""A part of the local system: one process, how to start it, and how to know that it is ready."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from signal import SIGTERM, Signals
from typing import TypeAlias

Probe: TypeAlias = Callable[[], Awaitable[bool]]


class State(StrEnum):
    WAITING = "waiting"  # for the parts that it comes after
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    HELD = "held"  # stopped on purpose, until it is started again
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Part:
    """What the supervisor needs to know of one process.

    `ready` answers False, or raises OSError or TimeoutError, as long as the part does not serve. `after` names parts
    that must be ready first; they are stopped after this one. `env` is laid over the starter's environment.
    """

    name: str
    argv: Sequence[str]
    ready: Probe
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    after: frozenset[str] = frozenset()
    port: int | None = None
    folder: Path | None = None
    not_as_root: bool = False
    stop_signal: Signals = SIGTERM
    stop_timeout: timedelta = timedelta(seconds=10)
    start_timeout: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class PartStatus:
    """What a status view shows; `since` is when `state` began, RFC 3339 in UTC."""

    name: str
    state: State
    restarts: int
    pid: int | None
    since: str
    port: int | None
    log: str
