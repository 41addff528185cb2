"""The fetcher's rules: what becomes of a listed item, and who keeps a key."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from common.invoice.stage import Reason, Stage

MAX_SOURCE_ID = 255
_DECLARED_ENCODING = re.compile(r"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


class Fate(StrEnum):
    """What became of an item on a page."""

    NEW = "new"
    KNOWN = "known"  # its row exists from an earlier job: counted as a duplicate of it
    REPEATED = "repeated"  # listed before in this same job (pages shifted): counted once


@dataclass(frozen=True, slots=True)
class Listed:
    """One item of a raw page. `problem` says why it cannot be what the contract promises."""

    source_id: str
    document: bytes
    text: str | None
    modified_at: datetime | None = None
    problem: str | None = None

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.document).digest()


@dataclass(frozen=True, slots=True)
class SourcePage:
    """A page as the source gave it; `source_clock` is its `Date` header."""

    items: tuple[Listed, ...]
    cursor: str | None
    next_cursor: str | None
    total: int | None
    source_clock: datetime | None


@dataclass(frozen=True, slots=True)
class Holder:
    """The row that has a dedupe key."""

    id: UUID
    stage: Stage
    maybe_sent: bool
    content_sha256: bytes | None
    generation: int


@dataclass(frozen=True, slots=True)
class Fresh:
    """Goes its way with the key; `takes_over` from the holder where there is one."""

    generation: int = 0
    takes_over: bool = False


@dataclass(frozen=True, slots=True)
class DuplicateOf:
    holder: UUID


@dataclass(frozen=True, slots=True)
class Held:
    reason: Reason
    holder: UUID


@dataclass(frozen=True, slots=True)
class ForceRefused:
    why: str


Judgement: TypeAlias = Fresh | DuplicateOf | Held | ForceRefused

_OPEN = frozenset({Stage.FETCHED, Stage.VALIDATED, Stage.SENDING, Stage.UNKNOWN})


def judge(content_sha256: bytes, holder: Holder | None, *, force: bool) -> Judgement:
    """Who keeps the key when a document meets its holder (design, "Duplicates")."""
    if holder is None:
        return Fresh()
    if force:
        return _judge_forced(holder)
    if holder.content_sha256 == content_sha256:
        return DuplicateOf(holder.id)
    if holder.stage is Stage.SENT:
        return Held(Reason.CHANGED_AFTER_SENT, holder.id)
    if holder.stage is Stage.FAILED and not holder.maybe_sent:
        return Fresh(generation=holder.generation, takes_over=True)
    return Held(Reason.CONFLICTING_VERSION, holder.id)


def _judge_forced(holder: Holder) -> Judgement:
    if holder.maybe_sent or holder.stage is Stage.HELD:
        return ForceRefused(f"row {holder.id} may have been sent or waits for a person; resolve it first")
    if holder.stage in _OPEN:
        return DuplicateOf(holder.id)
    return Fresh(generation=holder.generation + 1, takes_over=True)


def document_bytes(text: str) -> tuple[bytes, str | None]:
    """The document's bytes in the encoding that it declares, and its text when Postgres can hold it as such.

    A document that declares another encoding than UTF-8 is kept as bytes: its text in UTF-8 would contradict itself.
    """
    match = _DECLARED_ENCODING.match(text)
    declared = match.group(1).lower() if match else "utf-8"
    if declared not in {"utf-8", "utf8", "us-ascii", "ascii"}:
        try:
            return text.encode(declared), None
        except (LookupError, UnicodeEncodeError):
            pass  # the declaration is wrong: UTF-8 it is, and the parser will say so
    storable = "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
    return text.encode("utf-8", "surrogatepass"), text if storable and declared.startswith(
        ("utf", "us-", "asc")
    ) else None


def listed(source_id: object, modified_at: datetime | None, document: object, raw: bytes) -> Listed:
    """Read one item; whatever it is, it becomes an item: nothing that was listed is dropped."""
    problem = None
    if not isinstance(source_id, str | int) or isinstance(source_id, bool) or not _usable(str(source_id)):
        problem = "the item's id is missing, longer than 255 characters or not text"
        source_id = f"unusable:{hashlib.sha256(raw).hexdigest()[:32]}"
    if not isinstance(document, str):
        return Listed(str(source_id), raw, None, modified_at, problem or "the item has no document")
    content, text = document_bytes(document)
    return Listed(str(source_id), content, text, modified_at, problem)


def _usable(source_id: str) -> bool:
    return 0 < len(source_id) <= MAX_SOURCE_ID and source_id.isprintable()


BUCKETS: Mapping[str, str] = {"sent": "processed", "failed": "failed", "duplicate": "duplicates", "held": "held",
                              "pending": "open"}  # fmt: skip
"""The row's status, and the name of its bucket in a job's results."""
