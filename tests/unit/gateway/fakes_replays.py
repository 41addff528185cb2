"""Fakes of what the stories of failures and replays need: everything in memory, one list of failures."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from common.clock import Clock
from common.invoice.move import Moved
from gateway.domain.access import Caller, User
from gateway.domain.cursors import Cursors
from gateway.domain.editing import Edit, Edited, Target, difference
from gateway.domain.failures import CauseGroup, FailedDetail, FailedSummary, Kind, Selection
from gateway.domain.faults import NotAllowedNow
from gateway.domain.replays import (
    ItemRefusal,
    Outcome,
    PlacedReplay,
    Preview,
    ReplayItem,
    ReplayReceipt,
    ReplayStatus,
    ReplaySummary,
    State,
    Terms,
    Window,
)
from gateway.replay.editing import EditFailed
from gateway.replay.orders import ControlReplay, ReadFailures, ReadReplays, SetAside, StartReplay
from gateway.replay.ports import ReadRecord
from gateway.replay.stories import ReplayStories
from ubl.identity import Direction, Identity
from ubl.placing import Ours, Placed
from ubl.profile import load
from ubl.safe import MalformedDocument
from ubl.verdict import Verdict
from ubl.work import identify_many

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OURS = Ours(frozenset({"0123456749", "0987654394"}), None, Direction.SALE)


def failure(**given: Any) -> FailedDetail:
    fields: dict[str, Any] = dict.fromkeys(FailedDetail.__dataclass_fields__) | {
        "id": uuid4(),
        "kind": Kind.INVOICE,
        "at": NOON,
        "group": "00000000000000aa",
        "status": "failed",
        "reason": "invalid",
        "error": "BR-CO-15: the total is wrong",
        "version": 2,
        "maybe_sent": False,
        "body": "<Invoice/>",
        "body_is_base64": False,
        "replay_count": 0,
        "versions": [],
        "replays": [],
    }
    return FailedDetail(**fields | given)


@dataclass
class FakeReplays:
    """Answers by hand; `placed`, `controlled`, `edits` and `set_aside` are what was asked of it."""

    failures: list[FailedDetail] = field(default_factory=list[FailedDetail])
    replays: list[ReplayStatus] = field(default_factory=list[ReplayStatus])
    placed: list[PlacedReplay] = field(default_factory=list[PlacedReplay])
    set_aside: list[tuple[str, Selection]] = field(default_factory=list[tuple[str, Selection]])
    edits: list[Edit] = field(default_factory=list[Edit])
    moved: list[Moved] = field(default_factory=list[Moved])
    records: list[ReadRecord] = field(default_factory=list[ReadRecord])
    item_rows: list[ReplayItem] = field(default_factory=list[ReplayItem])

    def stories(self, clock: Clock, cursors: Cursors) -> ReplayStories:
        start = StartReplay(self, self, self, clock)
        return ReplayStories(
            read_failures=ReadFailures(FailureList(self), cursors),
            edit=EditFailed(self, self, self, self.announce, start),
            aside=SetAside(self),
            start=start,
            read=ReadReplays(self, cursors),
            control=ControlReplay(self, self),
        )

    async def archive(self, chosen: Selection, reason: str, user: User, caller: Caller) -> int:
        self.set_aside.append(("archive", chosen))
        return len(self.failures)

    async def restore(self, chosen: Selection, reason: str, user: User, caller: Caller) -> int:
        self.set_aside.append(("restore", chosen))
        return len(self.failures)

    async def place(self, placed: PlacedReplay) -> ReplayReceipt:
        if not self.failures:
            raise NotAllowedNow("Nothing fits this selection: there is nothing to replay")
        self.placed.append(placed)
        self.replays.append(status(id=placed.id, reason=placed.order.reason, total=len(self.failures)))
        return ReplayReceipt(placed.id, len(self.failures))

    async def place_window(self, placed: PlacedReplay, records: Sequence[ReadRecord]) -> ReplayReceipt:
        self.placed.append(placed)
        return ReplayReceipt(placed.id, len(records))

    async def preview(self, chosen: Selection, limit: int | None) -> Preview:
        refused = [ItemRefusal(f.id, Outcome.REFUSED, "it may have been sent") for f in self.failures if f.maybe_sent]
        going = len(self.failures) - len(refused)
        return Preview(len(self.failures), dict(Counter({"moved": going, "refused": len(refused)})), [], [], refused)

    async def preview_window(self, records: Sequence[ReadRecord]) -> Preview:
        return Preview(len(records), {"republished": len(records)}, [], [], [])

    async def replay(self, replay_id: UUID) -> ReplayStatus | None:
        return next((replay for replay in self.replays if replay.id == replay_id), None)

    async def page(
        self, state: State | None, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[ReplaySummary]:
        ordered = sorted(self.replays, key=lambda r: (r.created_at, r.id), reverse=True)
        return [r for r in ordered if state in {None, r.state} and (after is None or (r.created_at, r.id) < after)][
            :limit
        ]

    async def items(
        self, replay_id: UUID, outcome: str | None, *, after: int | None, limit: int
    ) -> Sequence[ReplayItem]:
        return [i for i in self.item_rows if outcome in {None, i.outcome} and (after is None or i.position > after)][
            :limit
        ]

    async def control(
        self, replay_id: UUID, to: Literal["running", "paused", "cancelled"], *, reason: str, user: User, caller: Caller
    ) -> bool:
        for place, found in enumerate(self.replays):
            if found.id == replay_id and found.state in {"running": {"paused"}, "paused": {"running"}}.get(
                to, {"running", "paused"}
            ):
                self.replays[place] = replace(found, state=to, note=reason)
                return True
        return False

    async def read(self, window: Window, limit: int) -> Sequence[ReadRecord]:
        return self.records

    async def target(self, item_id: UUID) -> Target | None:
        for found in self.failures:
            if found.id == item_id:
                return Target(found.id, found.kind, found.body.encode(), "SRC-1", found.dossier, found.topic)
        return None

    async def edit_row(
        self, item_id: UUID, edit: Edit, placed: Placed, diff: str, user: User, caller: Caller
    ) -> tuple[Edited, Sequence[Moved]]:
        self.edits.append(edit)
        return Edited(item_id, 1, diff, edit.version + 1 if edit.replay else None), ()

    async def edit_record(self, item_id: UUID, edit: Edit, diff: str, user: User, caller: Caller) -> Edited:
        self.edits.append(edit)
        return Edited(item_id, 1, diff)

    async def identify(self, documents: Sequence[bytes]) -> Sequence[Identity | MalformedDocument]:
        return identify_many(documents)

    async def validate(self, document: bytes) -> Verdict:
        return load("basic").validate(document)

    async def difference(self, before: bytes, after: bytes) -> str:
        return difference(before, after)

    async def announce(self, moved: Sequence[Moved]) -> None:
        self.moved += moved

    async def __call__(self) -> Ours:
        return OURS


@dataclass
class FailureList:
    """The `Failures` of a `FakeReplays`."""

    of: FakeReplays

    async def page(
        self, chosen: Selection, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[FailedSummary]:
        found = [
            item
            for item in sorted(self.of.failures, key=lambda item: (item.at, item.id), reverse=True)
            if chosen.kind in {None, item.kind}
            and chosen.group in {None, item.group}
            and (after is None or (item.at, item.id) < after)
        ]
        return found[:limit]

    async def groups(self) -> Sequence[CauseGroup]:
        return [
            CauseGroup(f.group, f.kind, f.reason, f.error or "", 1, False, f.at, f.at, f.id, f.error)
            for f in self.of.failures
        ]

    async def one(self, item_id: UUID) -> FailedDetail | None:
        return next((item for item in self.of.failures if item.id == item_id), None)


def status(**given: Any) -> ReplayStatus:
    fields: dict[str, Any] = dict.fromkeys(ReplayStatus.__dataclass_fields__) | {
        "id": uuid4(),
        "state": "running",
        "reason": "the rule was repaired",
        "user_id": uuid4(),
        "selection": {"source": "selection", "group": "00000000000000aa"},
        "terms": Terms(),
        "total": 3,
        "waiting": 1,
        "outcomes": {"moved": 2},
        "created_at": NOON,
        "ends": {"sent": 2},
    }
    return ReplayStatus(**fields | given)
