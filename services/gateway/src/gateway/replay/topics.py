"""Records of a topic as items of a replay: which row each one tells of."""

from dataclasses import dataclass
from uuid import UUID

from common.contracts.events import InvoiceMoved
from gateway.replay.ports import ReadRecord


@dataclass(frozen=True, slots=True)
class Subject:
    """The row at the version that a record announces."""

    id: UUID
    version: int


def subject(record: ReadRecord) -> Subject | None:
    """None for a record that nobody can read: it is a dead letter, to be replayed as such."""
    try:
        event = InvoiceMoved.model_validate_json(record.value)
    except ValueError:
        return None
    return Subject(event.id, event.version)
