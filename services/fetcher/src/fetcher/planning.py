"""From a raw page to planned rows: documents are identified in worker processes, everything else is pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from common.invoice.stage import Reason, Stage
from fetcher.domain import Listed
from ubl.identity import Direction, Identity
from ubl.placing import Ours, Unplaced, place
from ubl.safe import MalformedDocument
from ubl.verdict import Finding, Layer, Severity

_UNUSABLE = "LOCAL-SOURCE-01"
ENDED = "the document ended the process that was to read it three times"


@dataclass(frozen=True, slots=True)
class Plan:
    """A row as it would start, before its key is looked at. `dossier` and `key` are set together, on fetched rows."""

    item: Listed
    stage: Stage
    reason: Reason | None = None
    error: str | None = None
    findings: tuple[Mapping[str, Any], ...] = ()
    identity: Identity | None = None
    dossier: str | None = None
    direction: Direction | None = None
    key: str | None = None


class Ended:
    """The answer for a document that ended the process which was to read it, again and again."""


class Identify(Protocol):
    """Identifies documents away from the event loop."""

    async def __call__(self, documents: Sequence[bytes]) -> Sequence[Identity | MalformedDocument | Ended]: ...


class WhoIsOurs(Protocol):
    """The administrations as they are now."""

    async def __call__(self) -> Ours: ...


@dataclass(frozen=True, slots=True)
class Planner:
    identify: Identify
    who_is_ours: WhoIsOurs

    async def __call__(self, items: Sequence[Listed]) -> list[Plan]:
        """One plan per item, in order."""
        ours = await self.who_is_ours()
        answers = await self.identify([item.document for item in items])
        return [plan(item, answer, ours) for item, answer in zip(items, answers, strict=True)]


def plan(item: Listed, answer: Identity | MalformedDocument | Ended, ours: Ours) -> Plan:
    """Whose document it is and under which key; a document that cannot be placed starts as invalid."""
    if item.problem:
        return _invalid(item, Finding(_UNUSABLE, Severity.FATAL, Layer.LOCAL, item.problem))
    if isinstance(answer, Ended):
        return Plan(item, Stage.FAILED, Reason.PARKED, ENDED)
    placed = place(answer, ours, item.source_id)
    if isinstance(placed, Unplaced):
        return _invalid(item, placed.finding, identity=placed.identity)
    return Plan(
        item,
        Stage.FETCHED,
        identity=placed.identity,
        dossier=placed.dossier,
        direction=placed.direction,
        key=placed.key,
    )


def parked(refused: Plan, why: str) -> Plan:
    """The row of an item that the database refuses as planned: its bytes and the cause, nothing that was read in it."""
    cause = "".join(character if character.isprintable() else " " for character in why)
    error = f"the row cannot be stored: {cause}"[:1000]
    return Plan(replace(refused.item, text=None, modified_at=None), Stage.FAILED, Reason.PARKED, error)


def _invalid(item: Listed, finding: Finding, *, identity: Identity | None = None) -> Plan:
    error = f"{finding.rule}: {finding.message}"
    return Plan(item, Stage.FAILED, Reason.INVALID, error, (asdict(finding),), identity)
