"""Held invoices in memory, by the same rules as in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from common.invoice.move import Moved
from common.invoice.stage import STATUS
from gateway.domain.faults import IdempotencyKeyReused, NotAllowedNow, NotFound
from gateway.domain.held import (
    Decision,
    Evidence,
    HeldDetail,
    HeldFilter,
    HeldSummary,
    Resolved,
    choices,
    move,
    objection,
)

SETTLE = timedelta(minutes=3)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class FakeHeld:
    rows: dict[UUID, HeldDetail] = field(default_factory=dict[UUID, HeldDetail])
    evidence: dict[UUID, Evidence] = field(default_factory=dict[UUID, Evidence])
    gone: dict[UUID, Resolved] = field(default_factory=dict[UUID, Resolved])
    decisions: list[Decision] = field(default_factory=list[Decision])
    taken: dict[tuple[UUID, str | None, UUID], tuple[str, Resolved]] = field(
        default_factory=dict[tuple[UUID, str | None, UUID], tuple[str, Resolved]]
    )

    def add(self, row: HeldDetail, evidence: Evidence) -> HeldDetail:
        row = replace(row, choices=choices(evidence, row.id, settle=SETTLE))
        self.rows[row.id], self.evidence[row.id] = row, evidence
        return row

    async def held(self, chosen: HeldFilter, *, after: UUID | None, limit: int) -> Sequence[HeldSummary]:
        found = [
            row
            for row in sorted(self.rows.values(), key=lambda row: row.id)
            if all(wanted in {None, getattr(row, name)} for name, wanted in asdict(chosen).items())
            and (after is None or row.id > after)
        ]
        names = HeldSummary.__dataclass_fields__
        return [HeldSummary(**{name: getattr(row, name) for name in names}) for row in found[:limit]]

    async def one(self, row_id: UUID) -> HeldDetail | None:
        return self.rows.get(row_id)

    async def resolve(self, row_id: UUID, decision: Decision) -> tuple[Resolved, Moved | None]:
        key = (row_id, decision.idempotency_key, decision.user.id)
        if decision.idempotency_key and key in self.taken:
            fingerprint, resolved = self.taken[key]
            if fingerprint != decision.fingerprint:
                raise IdempotencyKeyReused
            return replace(resolved, replayed=True), None
        if row_id in self.gone:
            standing = self.gone[row_id]
            raise NotAllowedNow(f"It is not held any more: it stands at {standing.stage}", {"stage": standing.stage})
        if (row := self.rows.get(row_id)) is None:
            raise NotFound("held invoice", str(row_id))
        if no := objection(decision.resolution, self.evidence[row_id], row_id, settle=SETTLE):
            raise NotAllowedNow(no.why, no.details)
        wish = move(row_id, row.version, decision)
        reason = wish.reason.value if wish.reason else None
        resolved = Resolved(row_id, decision.resolution, STATUS[wish.to].value, wish.to.value, reason, row.version + 1)
        del self.rows[row_id]
        self.gone[row_id], self.taken[key] = resolved, (decision.fingerprint, resolved)
        self.decisions.append(decision)
        moved = Moved(row_id, row.version + 1, wish.to, reason, row.job_id, row.invoice_id, None, None, 0, None, None)
        return resolved, moved


@dataclass
class FakeOutcomes:
    announced: list[Moved] = field(default_factory=list[Moved])

    async def announce(self, moved: Sequence[Moved]) -> None:
        self.announced.extend(moved)


def held(**given: Any) -> HeldDetail:
    nothing: dict[str, Any] = dict.fromkeys(HeldDetail.__dataclass_fields__)
    fields: dict[str, Any] = {
        "id": uuid4(),
        "invoice_id": "SRC-1",
        "status": "held",
        "stage": "held",
        "reason": "unknown_outcome",
        "created_at": NOON,
        "updated_at": NOON,
        "maybe_sent": True,
        "held_since": NOON,
        "age_seconds": 60,
        "version": 5,
        "generation": 0,
        "attempts": [],
        "history": [],
        "choices": [],
    }
    return HeldDetail(**nothing | fields | given)
