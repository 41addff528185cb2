"""A wish to move a row, and a row that moved: pure values, `common.db.moves` does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from common.invoice.stage import Reason, Stage, may_move


class IllegalMoveError(ValueError):
    """A move that is not in the state machine: a programming error, never data."""


@dataclass(frozen=True, slots=True)
class Move:
    """One wish: the row `id`, read at `version` in stage `from_`, shall stand at `to`."""

    id: UUID
    version: int
    from_: Stage
    to: Stage
    reason: Reason | None = None
    error: str | None = None
    wake: timedelta | None = None
    maybe_sent: bool | None = None
    response: Mapping[str, Any] | None = None
    findings: Sequence[Any] | None = None
    details: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not may_move(self.from_, self.to):
            raise IllegalMoveError(f"{self.from_} -> {self.to} is not in the state machine")


@dataclass(frozen=True, slots=True)
class Moved:
    """A row as it stands after its move: what its announcement needs."""

    id: UUID
    version: int
    stage: Stage
    reason: str | None
    job_id: UUID | None
    source_id: str
    dossier: str | None
    dedupe_key: str | None
    generation: int
    content_sha256: bytes | None
    reference: UUID | None
    attempt: int | None = None
    uuid: str | None = None
