"""The contracts for programs: `python -m common.contracts.asyncapi` writes `docs/asyncapi.json` to standard output."""

import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from common.contracts.describe import EVENTS, HEADERS, LETTER_HEADERS
from common.contracts.events import Event
from common.contracts.topics import MAX_RECORD_BYTES, TOPICS, TopicSpec, all_topics

_LETTER = "DeadLetter"
_OPTIONAL = frozenset({"correlation_id", "x-omitted"})
"""Headers that a record may be without."""
_BINDING = "0.5.0"
_EVENT_OF: Mapping[str, type[Event]] = {TOPICS[topic].name: event for topic, event in EVENTS.items()}

_INTRODUCTION = """\
What travels between the parts of the integration. Fields and values are only ever added: ignore those that you do not \
know. A record may come twice; `version` tells which change of a row it is about. Documents are not in the records: \
read them over the API."""


def document() -> str:
    """The AsyncAPI document as it is committed."""
    return json.dumps(_described(), indent=2, ensure_ascii=False) + "\n"


def _described() -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Clearfacts invoice integration: events", "version": "1", "description": _INTRODUCTION},
        "defaultContentType": "application/json",
        "servers": {"kafka": _SERVER},
        "channels": {spec.name: _channel(spec) for spec in all_topics()},
        "operations": dict(_operations()),
        "components": {"messages": dict(_messages()), "schemas": _schemas()},
    }


_SERVER: Mapping[str, Any] = {
    "host": "{bootstrap}",
    "protocol": "kafka",
    "variables": {"bootstrap": {"description": "host:port, as in KAFKA_BOOTSTRAP_SERVERS", "default": "kafka:9092"}},
}


def _message_name(spec: TopicSpec) -> str:
    return _EVENT_OF[spec.name].__name__ if spec.name in _EVENT_OF else _LETTER


def _channel(spec: TopicSpec) -> dict[str, Any]:
    message = _message_name(spec)
    return {
        "address": spec.name,
        "description": f"Keyed by the {spec.key}; kept {spec.retention.days} days.",
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {
            "kafka": {
                "topic": spec.name,
                "partitions": spec.partitions,
                "topicConfiguration": {
                    "retention.ms": spec.retention // timedelta(milliseconds=1),
                    "max.message.bytes": MAX_RECORD_BYTES,
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Who sends and who receives, one operation for each."""
    for spec in all_topics():
        channel = f"#/channels/{spec.name}"
        for action, who in (("send", spec.writers), ("receive", spec.readers)):
            for part in who:
                yield (
                    f"{part}.{action}.{spec.name}",
                    {
                        "action": action,
                        "channel": {"$ref": channel},
                        "tags": [{"name": part}],
                        "messages": [{"$ref": f"{channel}/messages/{_message_name(spec)}"}],
                    },
                )


def _messages() -> Iterator[tuple[str, dict[str, Any]]]:
    for topic, event in EVENTS.items():
        name = event.__name__
        yield (
            name,
            {
                "name": f"be.clearfacts.{topic}",
                "title": name,
                "summary": inspect.getdoc(event),
                "contentType": "application/json",
                "headers": {"$ref": "#/components/schemas/Headers"},
                "payload": {"$ref": f"#/components/schemas/{name}"},
                "correlationId": {"location": "$message.header#/correlation_id"},
                "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}, "bindingVersion": _BINDING}},
            },
        )
    yield (
        _LETTER,
        {
            "title": _LETTER,
            "summary": "A record that nobody could read, as it came: any bytes.",
            "contentType": "application/octet-stream",
            "headers": {"$ref": "#/components/schemas/DeadLetterHeaders"},
            "payload": {"description": "the value as it came"},
        },
    )


def _schemas() -> dict[str, Any]:
    models: list[tuple[type[Event], JsonSchemaMode]] = [(event, "validation") for event in EVENTS.values()]
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")
    return {
        **dict(sorted(schemas["$defs"].items())),
        "Headers": _headers(HEADERS),
        "DeadLetterHeaders": _headers(LETTER_HEADERS),
    }


def _headers(meanings: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": meaning} for name, meaning in meanings.items()},
        "required": [name for name in meanings if name not in _OPTIONAL],
    }


if __name__ == "__main__":
    sys.stdout.write(document())
