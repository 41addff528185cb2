"""What failed: rows that failed and records that nobody could read, as one list. These shapes are the API's answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID


class Kind(StrEnum):
    """`invoice`: a row that failed; `record`: a Kafka record that nobody could read."""

    INVOICE = "invoice"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a list shows or a replay takes: exactly `ids`, or whatever fits all that is given."""

    ids: tuple[UUID, ...] | None = None
    kind: Kind | None = None
    group: str | None = None
    reason: str | None = None
    job_id: UUID | None = None
    dossier: str | None = None
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    archived: bool = False

    @property
    def invoices(self) -> bool:
        """Whether rows can be among it."""
        return self.kind is not Kind.RECORD and self.topic is None

    @property
    def records(self) -> bool:
        return self.kind is not Kind.INVOICE and self.job_id is None and self.dossier is None


@dataclass(frozen=True, slots=True)
class FailedSummary:
    """`at`: when it failed. A record has topic, partition and offset instead of what a row has."""

    id: UUID
    kind: Kind
    at: datetime
    group: str
    status: str
    reason: str | None
    error: str | None
    version: int
    invoice_id: str | None
    number: str | None
    job_id: UUID | None
    dossier: str | None
    supplier_name: str | None
    currency: str | None
    amount: Decimal | None
    maybe_sent: bool
    topic: str | None
    partition: int | None
    offset: int | None
    consumer_group: str | None


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    """Number 0 is the document as it came; `diff` is unified, against the version before."""

    number: int
    at: datetime
    user_id: UUID | None
    reason: str | None
    diff: str | None


@dataclass(frozen=True, slots=True)
class ReplayedBy:
    """A replay in which it was, and what came of it there."""

    replay_id: UUID
    state: str
    outcome: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class FailedDetail(FailedSummary):
    """`body`: the document or the record's value, as text where it is UTF-8, else in base64 (`body_is_base64`)."""

    body: str
    body_is_base64: bool
    key: str | None
    headers: Mapping[str, str] | None
    findings: Sequence[Any] | None
    resolution: Mapping[str, Any] | None
    replay_count: int
    replay_of: str | None
    versions: list[DocumentVersion]
    replays: list[ReplayedBy]


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """Failures of one cause. `count` is exact unless `more`: then there are at least that many."""

    group: str
    kind: Kind
    reason: str | None
    cause: str
    count: int
    more: bool
    first_at: datetime
    last_at: datetime
    example: UUID
    example_error: str | None
