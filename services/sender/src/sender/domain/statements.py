"""What a person says about an unknown outcome, and what the destination says to that. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias, assert_never
from uuid import UUID

from sender.domain.deliveries import ReadBack
from sender.domain.evidence import Absent, Evidence, Found, LookupFailed

ASK_AGAIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Statement:
    """Somebody found the document of this row, held for that, at the destination as `uuid`."""

    id: UUID
    version: int
    reference: UUID
    uuid: str
    by: str


@dataclass(frozen=True, slots=True)
class Believed:
    """The row is sent. `read_back` says what the destination had to say."""

    uuid: str
    read_back: str


@dataclass(frozen=True, slots=True)
class Contradicted:
    """The destination knows better: the row waits for a person again."""

    why: str


@dataclass(frozen=True, slots=True)
class NotNow:
    """No answer: it is asked again."""

    wait: timedelta = ASK_AGAIN


Reply: TypeAlias = Believed | Contradicted | NotNow


def by_read_back(statement: Statement, answer: ReadBack) -> Reply:
    """Where a document can be read by its uuid."""
    match answer:
        case ReadBack.OURS:
            return Believed(statement.uuid, "confirmed: it is there and carries our reference")
        case ReadBack.FOREIGN:  # somebody uploaded it by hand
            return Believed(statement.uuid, "it is there, without our reference")
        case ReadBack.ABSENT:
            return Contradicted(f"Clearfacts has no document {statement.uuid}, which a person gave as its uuid")
        case ReadBack.UNANSWERED:
            return NotNow()
        case _:
            assert_never(answer)


def by_lookup(statement: Statement, evidence: Evidence) -> Reply:
    """Where only a reference can be asked for. Without our reference it may still be there: uploaded by hand."""
    match evidence:
        case Found(uuids=uuids) if statement.uuid in uuids:
            return Believed(statement.uuid, "confirmed: it is there under our reference")
        case Found(uuids=uuids):
            return Believed(uuids[0], f"it is there under our reference as {uuids[0]}; stated was {statement.uuid}")
        case Absent():
            return Believed(statement.uuid, "not possible: nothing is there under our reference")
        case LookupFailed():
            return NotNow()
        case _:
            assert_never(evidence)
