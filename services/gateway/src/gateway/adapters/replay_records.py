"""Records inside rows: JSON with the bytes in base64."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from gateway.replay.ports import Letter, ReadRecord


def record_json(record: ReadRecord, topic: str) -> str:
    """For `replay_items.record`."""
    whole = {
        "topic": topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": None if record.key is None else b64encode(record.key).decode(),
        "value": b64encode(record.value).decode(),
        "headers": dict(record.headers),
    }
    return orjson.dumps(whole).decode()


def to_letter(position: int, item_id: UUID, record: Mapping[str, Any]) -> Letter:
    """What is to be published again."""
    key = record["key"]
    return Letter(
        position=position,
        item_id=item_id,
        topic=record["topic"],
        key=None if key is None else b64decode(key),
        value=b64decode(record["value"]),
        headers=record["headers"],
    )
