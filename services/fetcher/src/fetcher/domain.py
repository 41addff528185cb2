"""The fetcher's rules: what becomes of a listed item, and who keeps a key."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from common.invoice.stage import Reason, Stage

MAX_SOURCE_ID = 255
_DECLARED_ENCODING = re.compile(r"""\ufeff?<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DECLARATION_LENGTH = 200
# Those that `ubl.safe` reads beside UTF-8. Any other name is left to it to refuse, and never given to Python's codecs:
# some of them fail in their own ways ("undefined") or rewrite the text ("utf-7").
_OTHER_ENCODINGS = frozenset({"utf-16", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"})


class Fate(StrEnum):
    """What became of an item on a page."""

    NEW = "new"
    KNOWN = "known"  # its row exists from an earlier job: counted as a duplicate of it
    REPEATED = "repeated"  # listed before in this same job (pages shifted): counted once


@dataclass(frozen=True, slots=True)
class Listed:
    """One item of a raw page. `problem` says why it cannot be what the contract promises.

    `text` is the document where its bytes are UTF-8 that Postgres can hold as such.
    """

    source_id: str
    document: bytes
    text: str | None
    modified_at: datetime | None = None
    problem: str | None = None
    sha256: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", hashlib.sha256(self.document).digest())


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
    cancelled: bool = False


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
    same = holder.content_sha256 == content_sha256
    over = holder.stage is Stage.FAILED and not holder.maybe_sent
    if over and (holder.cancelled or not same):
        return Fresh(generation=holder.generation, takes_over=True)
    if same:
        return DuplicateOf(holder.id)
    if holder.stage is Stage.SENT:
        return Held(Reason.CHANGED_AFTER_SENT, holder.id)
    return Held(Reason.CONFLICTING_VERSION, holder.id)


def _judge_forced(holder: Holder) -> Judgement:
    if holder.maybe_sent or holder.stage is Stage.HELD:
        return ForceRefused(f"row {holder.id} may have been sent or waits for a person; resolve it first")
    if holder.stage in _OPEN:
        return DuplicateOf(holder.id)
    return Fresh(generation=holder.generation + 1, takes_over=True)


def document_bytes(text: str) -> bytes | None:
    """The document's bytes in the encoding that it declares; None when that cannot hold its characters."""
    match = _DECLARED_ENCODING.match(text[:_DECLARATION_LENGTH])
    declared = match[1].lower() if match else "utf-8"
    if declared not in _OTHER_ENCODINGS:
        return _utf8(text)
    try:
        return text.removeprefix("\ufeff").encode(declared)
    except UnicodeEncodeError:
        return None


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")  # bytes of a page that were not UTF-8, as they came
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")  # half a character, which JSON can spell


def listed(source_id: object, modified_at: datetime | None, document: object, raw: bytes) -> Listed:
    """Read one item; whatever it is, it becomes an item: nothing that was listed is dropped. `raw`: all of it."""
    content, text, problem = _content(document) if isinstance(document, str) else (raw, None, "there is no document")
    if not _usable(source_id):
        problem = f"the item's id is missing, longer than 255 characters or not text: {source_id!r}"[:400]
        source_id = f"unusable:{hashlib.sha256(content).hexdigest()[:32]}"
    return Listed(str(source_id), content, text, modified_at, problem)


def _content(document: str) -> tuple[bytes, str | None, str | None]:
    """The document's bytes, its text where Postgres can hold it, and what is wrong with it."""
    content = document_bytes(document)
    if content is None:
        return _utf8(document), None, "the document declares an encoding that cannot hold its characters"
    storable = "\x00" not in document and document.encode("utf-8", "ignore") == content
    return content, document if storable else None, None


def _usable(source_id: object) -> bool:
    if isinstance(source_id, bool) or not isinstance(source_id, str | int):
        return False
    return 0 < len(str(source_id)) <= MAX_SOURCE_ID and str(source_id).isprintable()


BUCKETS: Mapping[str, str] = {"sent": "processed", "failed": "failed", "duplicate": "duplicates", "held": "held",
                              "pending": "open"}  # fmt: skip
"""The row's status, and the name of its bucket in a job's results."""
