"""What a record that is published again carries beside its own headers."""

from collections.abc import Mapping
from uuid import UUID

_COUNT, _OF, _BY = "x-replay-count", "x-replay-of", "x-replay-id"


def replay_count(headers: Mapping[str, str]) -> int:
    """How often the record was published again before; nobody's word is taken for it."""
    text = headers.get(_COUNT, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def replay_headers(headers: Mapping[str, str], *, replay_id: UUID, item_id: UUID) -> dict[str, str]:
    """The record's own headers, and where it comes from: if it fails again, its dead letter links back."""
    ours = {_BY: str(replay_id), _OF: str(item_id), _COUNT: str(replay_count(headers) + 1)}
    return {**headers, **ours}
