"""The contracts for people: `python -m common.contracts.describe` writes `docs/events.md` to standard output."""

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from common.contracts.events import Event, InvoiceFetched, InvoiceOutcome, InvoiceValidated, JobEvent, JobRequested
from common.contracts.topics import LOCAL_PARTITIONS, MAX_RECORD_BYTES, TOPICS, Topic, TopicSpec, all_topics

EVENTS: Mapping[Topic, type[Event]] = {
    Topic.JOBS_REQUESTED: JobRequested,
    Topic.INVOICES_FETCHED: InvoiceFetched,
    Topic.INVOICES_VALIDATED: InvoiceValidated,
    Topic.INVOICES_OUTCOMES: InvoiceOutcome,
    Topic.JOBS_EVENTS: JobEvent,
}

HEADERS: Mapping[str, str] = {
    "ce_specversion": "`1.0`, of CloudEvents",
    "ce_id": "this record's own UUID",
    "ce_type": "`be.clearfacts.` and the topic",
    "ce_source": "`/clearfacts/` and who announces",
    "ce_time": "when it was announced, RFC 3339 in UTC",
    "content-type": "`application/json`",
    "traceparent": "W3C Trace Context",
    "correlation_id": "follows a request through logs and records; left out where there is none",
}

LETTER_HEADERS: Mapping[str, str] = {
    "x-original-topic": "where the record was read",
    "x-original-partition": "its partition there",
    "x-original-offset": "its offset there",
    "x-cause": "why nobody could read it",
    "x-omitted": "only where the record would not fit any more: key, value and headers are in the table `dead_letters`",
}

_RULES = f"""
Locally and in development a topic has at most {LOCAL_PARTITIONS} partitions.
A record has at most {MAX_RECORD_BYTES:,} bytes; its value is JSON.
Fields are only ever added: ignore those that you do not know.
A record may come twice; `version` tells which change of a row it is about."""


def document() -> str:
    """The page as it is committed."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Events"
    yield "Written by `just events` from `common.contracts`; a test compares the two."
    yield "For programs: [asyncapi.json](asyncapi.json), AsyncAPI 3.0, from the same source.\n"
    yield "## Topics"
    yield from _table(("topic", "event", "key", "from -> to", "kept", "partitions"), map(_topic, all_topics()))
    yield _RULES
    for topic, event in EVENTS.items():
        yield f"\n## {event.__name__}"
        yield f"On `{topic}`. {inspect.getdoc(event)}\n"
        yield from _table(("field", "type", "meaning"), _fields(event))
    yield "\n## Headers"
    yield from _table(("header", "value"), _rows(HEADERS))
    yield "\nA dead letter keeps its key, value and headers as they came, and has besides:\n"
    yield from _table(("header", "value"), _rows(LETTER_HEADERS))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def _rows(meanings: Mapping[str, str]) -> Iterator[Sequence[str]]:
    return ((f"`{name}`", meaning) for name, meaning in meanings.items())


def _topic(spec: TopicSpec) -> Sequence[str]:
    event = next((EVENTS[topic].__name__ for topic, known in TOPICS.items() if known is spec), "what nobody could read")
    way = f"{', '.join(spec.writers)} -> {', '.join(spec.readers)}"
    return f"`{spec.name}`", event, spec.key, way, f"{spec.retention.days} days", str(spec.partitions)


def _fields(event: type[Event]) -> Iterator[Sequence[str]]:
    schema = event.model_json_schema()
    required = set(schema["required"])
    for name, field in schema["properties"].items():
        kind = _type(field, schema.get("$defs", {}))
        yield f"`{name}`", kind if name in required else f"{kind}; may be left out", field["description"]


def _type(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    match schema:
        case {"$ref": reference}:
            return _type(definitions[reference.rsplit("/", 1)[-1]], definitions)
        case {"anyOf": choices}:
            return " or ".join(_type(choice, definitions) for choice in choices)
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": items}:
            return f"list of {_type(items, definitions)}"
        case {"minimum": least, "maximum": most}:
            return f"{schema['type']}, {least} to {most}"
        case _:
            return str(schema.get("format", schema["type"]))


if __name__ == "__main__":
    sys.stdout.write(document())
