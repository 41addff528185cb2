"""What is sent, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Claim:
    """A row that is ours to send until `lease_ends` (this process's monotonic clock)."""

    id: UUID
    version: int
    attempt: int
    reference: UUID
    source_id: str
    dossier: str
    direction: str
    kind: str
    journal: str | None
    content: bytes
    lease_ends: float
    failures: int = 0
    failing_for: timedelta = timedelta(0)
    """How long the row's own clock has run since its first own failure."""
    maybe_sent: bool = False
    """An earlier attempt may have arrived: this one is only safe under a key that the destination still knows."""
    too_late: bool = False
    """That key may be forgotten: it must not leave."""
    found: str | None = None
    """The uuid under which an older attempt turned out to have been accepted: nothing is to be sent any more."""
    job_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The destination has the document, under its own id."""

    uuid: str
    response: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer names this document as wrong: sending it again gives the same."""

    code: str
    message: str
    response: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """Proof that the destination does not have it: it may be sent again, after `wait` at the earliest.

    `everyone` says that the cause is not this document but the destination or our token; `throttled`, that it is well
    and only wants fewer.
    """

    why: str
    wait: timedelta | None = None
    everyone: bool = False
    throttled: bool = False


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """The first byte may have left and there is no proof either way: only evidence or a person moves it.

    `everyone` says that the destination is failing (no answer, 5xx), whatever the document; `exists`, that it claims to
    have the document already, from whomever.
    """

    why: str
    everyone: bool = False
    exists: bool = False


Delivery: TypeAlias = Accepted | Refused | NotAccepted | OutcomeUnknown


class ReadBack(StrEnum):
    """What the destination says when it is asked for one document by its own id."""

    OURS = "ours"  # it is there, and its comment carries our reference
    FOREIGN = "foreign"  # it is there, and it is not that sending
    ABSENT = "absent"
    UNANSWERED = "unanswered"
