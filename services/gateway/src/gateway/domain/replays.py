"""Replays: what is asked for, what becomes of each item, and when a replay goes on, waits or ends. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, TypeAlias
from uuid import UUID

from gateway.domain.access import Caller, User
from gateway.domain.failures import FailedSummary, Selection

MOST_ITEMS = 50_000
MOST_REPLAYS_OF_A_RECORD = 5
FEWEST_TO_JUDGE = 5
"""Ends that have to be known before their share of failures may end a replay."""

State: TypeAlias = Literal["running", "paused", "completed", "cancelled", "failed"]


class Outcome(StrEnum):
    """What became of an item when its turn came."""

    MOVED = "moved"
    REPUBLISHED = "republished"
    ALREADY_REPLAYING = "already_replaying"
    NOT_FAILED_ANY_MORE = "not_failed_any_more"
    SENT_ALREADY = "sent_already"
    SUPERSEDED = "superseded"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Terms:
    """`canary` items first, whose ends are awaited for `canary_seconds`; then `rate` a second."""

    canary: int = 1
    canary_seconds: int = 60
    rate: float = 50.0
    abort_share: float = 0.2


@dataclass(frozen=True, slots=True)
class Window:
    """Records of one topic: by offsets (the last one included) of a partition, or by their times."""

    topic: str
    partition: int | None = None
    first: int | None = None
    last: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    source: Selection | Window
    reason: str
    terms: Terms = field(default_factory=Terms)
    limit: int | None = None
    """Only so many, the oldest failures first; without it all, refused above `MOST_ITEMS`."""

    @property
    def selection(self) -> dict[str, Any]:
        """What was asked for, without what was not."""
        kind = "window" if isinstance(self.source, Window) else "selection"
        given = {name: value for name, value in asdict(self.source).items() if value is not None and value is not False}
        return {"source": kind, **given}

    @property
    def fingerprint(self) -> bytes:
        """Equal for orders that ask for the same."""
        whole = {"selection": self.selection, "reason": self.reason, "terms": asdict(self.terms), "limit": self.limit}
        return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).digest()


@dataclass(frozen=True, slots=True)
class PlacedReplay:
    """An order by somebody: all that its rows need."""

    id: UUID
    order: ReplayOrder
    user: User
    caller: Caller
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class ReplayReceipt:
    replay_id: UUID
    total: int
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    group: str
    cause: str
    count: int


@dataclass(frozen=True, slots=True)
class ItemRefusal:
    """An item that would not move, and why."""

    item_id: UUID
    outcome: Outcome
    why: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A dry run: nothing was written. `refusals` are the first hundred, `sample` the first ten that would move."""

    total: int
    outcomes: dict[str, int]
    causes: list[Cause]
    sample: list[FailedSummary]
    refusals: list[ItemRefusal]


@dataclass(frozen=True, slots=True)
class ReplaySummary:
    """`outcomes` counts the items whose turn came; `waiting` are the others."""

    id: UUID
    state: State
    reason: str
    user_id: UUID
    selection: Mapping[str, Any]
    terms: Terms
    total: int
    waiting: int
    outcomes: dict[str, int]
    note: str | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReplayStatus(ReplaySummary):
    """`ends`: where the moved rows stand now (sent, failed, held, duplicate, pending); counted anew at each reading."""

    ends: dict[str, int]


@dataclass(frozen=True, slots=True)
class ReplayItem:
    position: int
    kind: str
    item_id: UUID
    state: str
    outcome: str | None
    why: str | None
    now: str | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """A replay as its worker finds it. `ended`, `failed_again`: of the latest moved items."""

    waiting: int
    moved: int
    open: int
    ended: int
    failed_again: int
    canary_passed: bool
    canary_began_at: datetime | None


@dataclass(frozen=True, slots=True)
class Start:
    """Take up to this many items."""

    most: int


@dataclass(frozen=True, slots=True)
class PassCanary:
    """The rest may go."""


@dataclass(frozen=True, slots=True)
class Await:
    """Look again soon."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The replay stands still: `paused` may be resumed, the others are ends."""

    state: Literal["paused", "completed", "failed"]
    note: str | None = None
    canary_passed: bool = False


Step: TypeAlias = Start | PassCanary | Await | Stop


def next_step(progress: Progress, terms: Terms, now: datetime, *, allowance: int) -> Step:
    """What the worker does next; `allowance`: how many items the rate lets go now."""
    if _too_many_failed(progress, terms, fewest=FEWEST_TO_JUDGE if progress.canary_passed else 1):
        whose = "latest items" if progress.canary_passed else "first items"
        return Stop("failed", f"{progress.failed_again} of {progress.ended} {whose} failed again")
    if not progress.canary_passed:
        return _of_canary(progress, terms, now)
    if progress.waiting == 0:
        return Stop("completed")
    return Start(min(allowance, progress.waiting)) if allowance > 0 else Await()


def _too_many_failed(progress: Progress, terms: Terms, *, fewest: int) -> bool:
    # while the canary is out, it is judged as a whole
    whole = progress.canary_passed or progress.open == 0
    return whole and progress.ended >= fewest and progress.failed_again > terms.abort_share * progress.ended


def _of_canary(progress: Progress, terms: Terms, now: datetime) -> Step:
    if progress.waiting and progress.moved < terms.canary:
        return Start(terms.canary - progress.moved)
    if progress.open == 0:
        return PassCanary()
    began = progress.canary_began_at
    if began is None or now - began < timedelta(seconds=terms.canary_seconds):
        return Await()
    if progress.waiting == 0:
        return Stop("completed", "not every item has ended yet")
    note = f"the first items did not end within {terms.canary_seconds} s; resume it to let the others go"
    return Stop("paused", note, canary_passed=True)
