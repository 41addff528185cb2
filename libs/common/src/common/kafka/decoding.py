"""Records to events, one by one, so that one bad record does not fail its batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from pydantic import ValidationError

from common.contracts.dead_letters import Unreadable
from common.kafka.batch import EventT, Record
from common.kafka.dead_letters import unreadable
from common.observability.tracing import (
    TRACEPARENT,
    Context,
    accept_correlation_id,
    correlation_id,
    parse_context,
    parse_traceparent,
    trace_id,
)


@dataclass(slots=True)
class Item(Generic[EventT]):
    """A record with its event, or with why there is none."""

    record: Record
    event: EventT | None
    bad: Unreadable | None = None

    @property
    def key(self) -> bytes:
        """What the record is about; for one that nobody can read, its place."""
        return self.event.key if self.event else f"{self.record.partition}:{self.record.offset}".encode()


def decode(records: Sequence[Record], kind: type[EventT]) -> list[Item[EventT]]:
    """One item per record, in order."""
    return [_decode(record, kind) for record in records]


def _decode(record: Record, kind: type[EventT]) -> Item[EventT]:
    try:
        return Item(record, kind.model_validate_json(record.value or b""))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        return Item(record, None, unreadable(record, cause=f"{first['type']}: {where}: {first['msg']}"))


def adopt_context(record: Record) -> None:
    """Logs and announcements from here on belong to the record's correlation and trace."""
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    correlation_id.set(accept_correlation_id(headers.get("correlation_id")))
    trace_id.set(parse_traceparent(headers.get(TRACEPARENT)))


def contexts_of(records: Sequence[Record]) -> list[Context]:
    """The different contexts that the records were announced in, in order; those of one announcement have one."""
    said = dict.fromkeys(value for record in records for name, value in record.headers if name == TRACEPARENT)
    found = (parse_context(value.decode("utf-8", "replace")) for value in said)
    return [context for context in found if context is not None]
