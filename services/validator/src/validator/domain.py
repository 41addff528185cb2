"""What a verdict makes of a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

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
