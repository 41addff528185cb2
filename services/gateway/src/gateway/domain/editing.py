"""Editing what failed: the new body, and how it differs from the one before."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any
from uuid import UUID

from common.contracts.topics import Topic
from gateway.domain.failures import Kind

MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Edit:
    """`version`: the item's, as the editor saw it. With `replay` it goes again at once."""

    content: bytes
    reason: str
    version: int
    replay: bool = True


@dataclass(frozen=True, slots=True)
class Edited:
    """`number` of the new document version; `moved_version` of the row where it moved, `replay_id` of a record's."""

    id: UUID
    number: int
    diff: str
    moved_version: int | None = None
    replay_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be edited, as it stands. A record has a topic, a row the place that it had."""

    id: UUID
    kind: Kind
    content: bytes
    source_id: str
    dossier: str | None
    topic: str | None


def difference(before: bytes, after: bytes) -> str:
    """A unified diff; for documents too long to compare only that they are."""
    old, new = (_lines(content) for content in (before, after))
    if len(old) + len(new) > MOST_LINES:
        return f"{len(old)} lines became {len(new)}: too many to compare"
    return "\n".join(unified_diff(old, new, "before", "after", lineterm=""))


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "backslashreplace").replace("\x00", "\\x00").splitlines()


def known_topic(name: str | None) -> Topic | None:
    """The topic of that name, where it is one of ours."""
    return next((topic for topic in Topic if topic.value == name), None)


def plain_findings(findings: tuple[Mapping[str, Any], ...]) -> list[dict[str, Any]]:
    """At most fifty, as JSON has them."""
    return [{name: value for name, value in finding.items() if value is not None} for finding in findings[:50]]
