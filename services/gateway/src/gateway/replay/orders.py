"""The stories of an operator: look at what failed, rehearse, replay, pause, resume, cancel."""

from dataclasses import asdict, dataclass, replace
from typing import Literal
from uuid import UUID

import structlog

from common.clock import Clock
from gateway.domain.access import Caller, User
from gateway.domain.cursors import Cursors
from gateway.domain.failures import CauseGroup, FailedDetail, FailedSummary, Selection
from gateway.domain.faults import NotAllowedNow, NotFound
from gateway.domain.readings import Page
from gateway.domain.replays import (
    MOST_ITEMS,
    PlacedReplay,
    Preview,
    ReplayItem,
    ReplayOrder,
    ReplayReceipt,
    ReplayStatus,
    ReplaySummary,
    State,
    Window,
)
from gateway.paging import at_and_id, read_at_and_id, read_page
from gateway.replay.ports import Archive, Failures, ReplayReadings, Replays, TopicReader

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ReadFailures:
    failures: Failures
    cursors: Cursors

    async def one(self, item_id: UUID) -> FailedDetail:
        """Raises NotFound."""
        if (found := await self.failures.one(item_id)) is None:
            raise NotFound("failed_message", str(item_id))
        return found

    async def groups(self) -> list[CauseGroup]:
        """By cause; those that failed last first."""
        return list(await self.failures.groups())

    async def page(self, chosen: Selection, *, cursor: str | None, limit: int) -> Page[FailedSummary]:
        """Newest first. Raises CursorInvalid."""
        bound = {"list": "failed", **asdict(chosen)}
        return await read_page(
            self.cursors, bound, cursor, limit,
            ask=lambda after, most: self.failures.page(chosen, after=after, limit=most),
            place_of=lambda item: at_and_id(item.at, item.id), read_place=read_at_and_id,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SetAside:
    archive_of: Archive

    async def archive(self, chosen: Selection, reason: str, user: User, caller: Caller) -> int:
        """How many were set aside."""
        return await self.archive_of.archive(chosen, reason, user, caller)

    async def restore(self, chosen: Selection, reason: str, user: User, caller: Caller) -> int:
        """How many were taken back."""
        return await self.archive_of.restore(replace(chosen, archived=True), reason, user, caller)


@dataclass(frozen=True, slots=True)
class StartReplay:
    replays: Replays
    readings: ReplayReadings
    topics: TopicReader
    clock: Clock

    async def rehearse(self, order: ReplayOrder) -> Preview:
        """What a replay would do; nothing is written. Raises NotAllowedNow."""
        if isinstance(order.source, Window):
            records = await self.topics.read(order.source, order.limit or MOST_ITEMS)
            return await self.readings.preview_window(records)
        return await self.readings.preview(order.source, order.limit)

    async def __call__(self, order: ReplayOrder, user: User, caller: Caller, *, key: str | None) -> ReplayReceipt:
        """Freeze the list; a worker takes it from there. Raises NotAllowedNow or IdempotencyKeyReused."""
        placed = PlacedReplay(self.clock.new_id(), order, user, caller, key)
        if isinstance(order.source, Window):
            records = await self.topics.read(order.source, order.limit or MOST_ITEMS)
            receipt = await self.replays.place_window(placed, records)
        else:
            receipt = await self.replays.place(placed)
        log.info("replay_placed", replay=str(receipt.replay_id), items=receipt.total, again=receipt.replayed)
        return receipt


@dataclass(frozen=True, slots=True)
class ReadReplays:
    readings: ReplayReadings
    cursors: Cursors

    async def one(self, replay_id: UUID) -> ReplayStatus:
        """Raises NotFound."""
        if (found := await self.readings.replay(replay_id)) is None:
            raise NotFound("replay", str(replay_id))
        return found

    async def page(self, state: State | None, *, cursor: str | None, limit: int) -> Page[ReplaySummary]:
        """Newest first. Raises CursorInvalid."""
        bound = {"list": "replays", "state": state}
        return await read_page(
            self.cursors, bound, cursor, limit,
            ask=lambda after, most: self.readings.page(state, after=after, limit=most),
            place_of=lambda replay: at_and_id(replay.created_at, replay.id), read_place=read_at_and_id,
        )  # fmt: skip

    async def items(self, replay_id: UUID, outcome: str | None, *, cursor: str | None, limit: int) -> Page[ReplayItem]:
        """In their order. Raises CursorInvalid."""
        bound = {"list": "replay_items", "replay": str(replay_id), "outcome": outcome}
        return await read_page(
            self.cursors, bound, cursor, limit,
            ask=lambda after, most: self.readings.items(replay_id, outcome, after=after, limit=most),
            place_of=lambda item: (str(item.position),), read_place=lambda place: int(place[0]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ControlReplay:
    replays: Replays
    readings: ReplayReadings

    async def __call__(
        self, replay_id: UUID, to: Literal["running", "paused", "cancelled"], reason: str, user: User, caller: Caller
    ) -> ReplayStatus:
        """Raises NotFound, and NotAllowedNow where it stands where it cannot go there."""
        changed = await self.replays.control(replay_id, to, reason=reason, user=user, caller=caller)
        if (found := await self.readings.replay(replay_id)) is None:
            raise NotFound("replay", str(replay_id))
        if not changed:
            raise NotAllowedNow(f"The replay is {found.state}: it cannot become {to}")
        return found
