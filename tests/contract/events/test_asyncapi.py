"""`docs/asyncapi.json` is what the contracts say, whole in itself, and true of the golden messages."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.contracts.asyncapi import document
from common.contracts.describe import EVENTS
from common.contracts.topics import TOPICS, all_topics
from tests.contract.events.writing import GOLDEN
from tests.contract.schema import problems

ROOT = Path(__file__).parents[3]
DESCRIBED: dict[str, Any] = json.loads(document())


def references(part: Any) -> Iterator[str]:
    match part:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for inner in part.values():
                yield from references(inner)
        case list():
            for inner in part:
                yield from references(inner)
        case _:
            pass


def found(reference: str) -> Any:
    part: Any = DESCRIBED
    for name in reference.removeprefix("#/").split("/"):
        part = part[name]
    return part


def test_the_committed_document_is_what_the_code_says() -> None:
    assert (ROOT / "docs/asyncapi.json").read_text(encoding="utf-8") == document(), "run: just events"


def test_every_reference_leads_somewhere() -> None:
    assert all(found(reference) for reference in references(DESCRIBED))


def test_there_is_a_channel_for_every_topic_with_one_message() -> None:
    assert set(DESCRIBED["channels"]) == {spec.name for spec in all_topics()}
    assert {len(channel["messages"]) for channel in DESCRIBED["channels"].values()} == {1}
    for topic, event in EVENTS.items():
        assert list(DESCRIBED["channels"][topic]["messages"]) == [event.__name__]


def test_every_writer_sends_and_every_reader_receives() -> None:
    said = {(operation["action"], operation["channel"]["$ref"]) for operation in DESCRIBED["operations"].values()}
    for spec in TOPICS.values():
        assert {("send", f"#/channels/{spec.name}"), ("receive", f"#/channels/{spec.name}")} <= said
    parts = {operation["tags"][0]["name"] for operation in DESCRIBED["operations"].values()}
    assert {"gateway", "fetcher", "validator", "sender", "notifier", "orchestration", "integrators"} <= parts


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_golden_message_is_what_is_described(path: Path) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    message = DESCRIBED["components"]["messages"][path.name.split(".")[0]]
    assert not problems(record["value"], message["payload"], DESCRIBED)
    assert not problems(record["headers"], message["headers"], DESCRIBED)
    assert record["headers"].keys() <= found(message["headers"]["$ref"])["properties"].keys()
