"""What a verdict makes of a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.invoice.dry_run import Prospect
from common.invoice.move import Move
from common.invoice.stage import Reason, Stage

MAX_FINDINGS = 100


@dataclass(frozen=True, slots=True)
class Document:
    """A fetched row with its bytes."""

    id: UUID
    version: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, as the state machine needs it."""

    valid: bool
    ruleset: str
    findings: tuple[Mapping[str, Any], ...]
    summary: str | None
    """The first fatal finding in one line."""


def move(document: Document, judged: Judged) -> Move:
    """Where the row goes: valid documents on, the others to an end that says why."""
    findings = judged.findings[:MAX_FINDINGS] or None
    details = {"ruleset": judged.ruleset}
    if judged.valid:
        return Move(document.id, document.version, Stage.FETCHED, Stage.VALIDATED, findings=findings, details=details)
    return Move(
        document.id,
        document.version,
        Stage.FETCHED,
        Stage.FAILED,
        Reason.INVALID,
        judged.summary,
        findings=findings,
        details=details,
    )


def parked(row: UUID, version: int, cause: str) -> Move:
    """A row that cannot be judged: failed, with the cause instead of findings."""
    return Move(row, version, Stage.FETCHED, Stage.FAILED, Reason.PARKED, cause[:1000])


@dataclass(frozen=True, slots=True)
class DryRunItem:
    """An open item of a dry run with its bytes; `deaths`: how often it ended its worker alone."""

    run: UUID
    id: UUID
    content: bytes
    deaths: int


@dataclass(frozen=True, slots=True)
class DryRunVerdict:
    """What would become of an item."""

    run: UUID
    id: UUID
    outcome: Prospect
    reason: Reason | None = None
    error: str | None = None


def verdict_of(item: DryRunItem, judged: Judged) -> DryRunVerdict:
    """As `move` would have it."""
    if judged.valid:
        return DryRunVerdict(item.run, item.id, Prospect.WOULD_GO)
    return DryRunVerdict(item.run, item.id, Prospect.WOULD_FAIL, Reason.INVALID, judged.summary)


def verdict_parked(item: DryRunItem, cause: str) -> DryRunVerdict:
    """As `parked` would have it."""
    return DryRunVerdict(item.run, item.id, Prospect.WOULD_FAIL, Reason.PARKED, cause[:1000])
