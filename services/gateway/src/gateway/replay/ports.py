"""What the stories of replays need from outside."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from common.contracts.topics import Topic
from common.invoice.move import Moved
from gateway.domain.access import Caller, User
from gateway.domain.editing import Edit, Edited, Target
from gateway.domain.failures import CauseGroup, FailedDetail, FailedSummary, Selection
from gateway.domain.replays import (
    PlacedReplay,
    Preview,
    Progress,
    ReplayItem,
    ReplayReceipt,
    ReplayStatus,
    ReplaySummary,
    State,
    Stop,
    Terms,
    Window,
)
from ubl.identity import Identity
from ubl.placing import Ours, Placed
from ubl.safe import MalformedDocument
from ubl.verdict import Verdict

AnnounceMoves = Callable[[Sequence[Moved]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A record of a topic as it was read; `headers` as text."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Leased:
    """A replay in this process's hands."""

    id: UUID
    token: UUID
    user_id: UUID
    reason: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class Letter:
    """A record to publish again: an unreadable one, or an announcement of a topic."""

    position: int
    item_id: UUID
    topic: str
    key: bytes | None
    value: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Started:
    """What a batch of items made: rows to announce, records to publish."""

    moved: Sequence[Moved] = ()
    letters: Sequence[Letter] = ()


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A failed row without a place, to be read again."""

    id: UUID
    source_id: str
    content: bytes


class LeaseLost(Exception):
    """The replay was paused, ended, or is worked by another replica."""


class Failures(Protocol):
    async def page(
        self, chosen: Selection, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[FailedSummary]: ...

    async def groups(self) -> Sequence[CauseGroup]: ...

    async def one(self, item_id: UUID) -> FailedDetail | None: ...


class Archive(Protocol):
    async def archive(self, chosen: Selection, reason: str, user: User, caller: Caller) -> int:
        """Set aside what is chosen; how many that were. Audited."""
        ...

    async def restore(self, chosen: Selection, reason: str, user: User, caller: Caller) -> int: ...


class Replays(Protocol):
    async def place(self, placed: PlacedReplay) -> ReplayReceipt:
        """Freeze the selection into a running replay. Raises IdempotencyKeyReused or NotAllowedNow."""
        ...

    async def place_window(self, placed: PlacedReplay, records: Sequence[ReadRecord]) -> ReplayReceipt:
        """As `place`, of records that were read from a topic."""
        ...

    async def control(
        self, replay_id: UUID, to: Literal["running", "paused", "cancelled"], *, reason: str, user: User, caller: Caller
    ) -> bool:
        """False when it stands where it cannot go there. Audited."""
        ...


class ReplayReadings(Protocol):
    async def preview(self, chosen: Selection, limit: int | None) -> Preview:
        """Raises NotAllowedNow for nothing at all, and for too much."""
        ...

    async def preview_window(self, records: Sequence[ReadRecord]) -> Preview: ...

    async def replay(self, replay_id: UUID) -> ReplayStatus | None: ...

    async def page(
        self, state: State | None, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[ReplaySummary]: ...

    async def items(
        self, replay_id: UUID, outcome: str | None, *, after: int | None, limit: int
    ) -> Sequence[ReplayItem]: ...


class TopicReader(Protocol):
    async def read(self, window: Window, limit: int) -> Sequence[ReadRecord]:
        """At most `limit` records. Raises NotAllowedNow for a window that the topic does not have any more."""
        ...


class Work(Protocol):
    """The database's side of the worker. Every method but `lease` raises LeaseLost."""

    async def lease(self, token: UUID) -> Leased | None: ...

    async def progress(self, leased: Leased) -> Progress: ...

    async def unplaced(self, leased: Leased, most: int) -> Sequence[Unplaced]:
        """Those of the next `most` items whose document has to be placed before they can go."""
        ...

    async def start(
        self, leased: Leased, most: int, places: Mapping[UUID, Identity | MalformedDocument], ours: Ours
    ) -> Started:
        """Take the next items, each by compare-and-set; the moves and the items' outcomes are one transaction."""
        ...

    async def half_done(self, leased: Leased) -> Sequence[Letter]:
        """Records that an earlier worker took and perhaps did not publish."""
        ...

    async def published(self, leased: Leased, letters: Sequence[Letter]) -> None: ...

    async def pass_canary(self, leased: Leased) -> None: ...

    async def stop(self, leased: Leased, step: Stop) -> None: ...


class Publish(Protocol):
    async def __call__(self, topic: str, key: bytes | None, value: bytes, headers: Mapping[str, str]) -> None:
        """Raises InfrastructureError when it is not certain that the record is out."""
        ...


class Documents(Protocol):
    """Reading and judging documents away from the event loop."""

    async def identify(self, documents: Sequence[bytes]) -> Sequence[Identity | MalformedDocument]: ...

    async def validate(self, document: bytes) -> Verdict: ...

    async def difference(self, before: bytes, after: bytes) -> str:
        """A unified diff."""
        ...


class Edits(Protocol):
    async def target(self, item_id: UUID) -> Target | None: ...

    async def edit_row(
        self, item_id: UUID, edit: Edit, placed: Placed, diff: str, user: User, caller: Caller
    ) -> tuple[Edited, Sequence[Moved]]:
        """Version, columns, key and move in one transaction, audited. Raises NotAllowedNow."""
        ...

    async def edit_record(self, item_id: UUID, edit: Edit, diff: str, user: User, caller: Caller) -> Edited:
        """By compare-and-set on the record's version, audited. Raises NotAllowedNow."""
        ...


class WhoIsOurs(Protocol):
    async def __call__(self) -> Ours: ...


REPLAYED_TOPICS = (Topic.INVOICES_FETCHED, Topic.INVOICES_VALIDATED, Topic.INVOICES_OUTCOMES)
