"""What callers may send about failures and replays, and the few answers that are no readings."""

from base64 import b64decode
from binascii import Error as NotBase64
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StringConstraints, model_validator
from pydantic.dataclasses import dataclass

from gateway.domain.editing import Edit
from gateway.domain.failures import CauseGroup, Kind, Selection
from gateway.domain.replays import MOST_ITEMS, ReplayOrder, State, Terms, Window
from gateway.routes.schemas import NO_CONTROLS, Instant, Line, Paging, Sent

Why = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500, pattern=NO_CONTROLS),
    Field(description="why, for the audit log"),
]
Group = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$"), Field(description="fingerprint of a cause")]


class Criteria(Sent):
    kind: Kind | None = None
    group: Group | None = None
    reason: Line | None = Field(default=None, description="why rows failed; `unreadable` for records")
    job_id: UUID | None = None
    dossier: Line | None = None
    topic: Line | None = Field(default=None, description="records of this topic")
    since: Instant | None = Field(default=None, description="failed at or after")
    until: Instant | None = Field(default=None, description="failed before")
    text: Line | None = Field(default=None, description="a number or source id, exactly, or a part of the error")
    archived: bool = False

    def selection(self, ids: tuple[UUID, ...] | None = None) -> Selection:
        names = [name for name in Criteria.model_fields if name in Selection.__dataclass_fields__]
        return Selection(ids=ids, **{name: getattr(self, name) for name in names})


class FailedQuery(Criteria, Paging):
    """A page of failures."""


class ChosenBody(Criteria):
    """`ids`, or at least one criterion: nothing at all does not mean everything."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=1000)] | None = None

    @model_validator(mode="after")
    def _is_deliberate(self) -> "ChosenBody":
        criteria = [name for name in Criteria.model_fields if getattr(self, name) not in {None, False}]
        if (self.ids is None) == (not criteria):
            raise ValueError("give either ids or at least one criterion")
        return self

    def chosen(self) -> Selection:
        return self.selection(tuple(dict.fromkeys(self.ids)) if self.ids is not None else None)


class WindowBody(Sent):
    topic: Line
    partition: int | None = Field(default=None, ge=0)
    first: int | None = Field(default=None, ge=0, description="offset; needs `partition`")
    last: int | None = Field(default=None, ge=0, description="offset, included")
    since: Instant | None = None
    until: Instant | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "WindowBody":
        by_offset = self.first is not None and self.last is not None and self.partition is not None
        if by_offset == (self.since is not None):
            raise ValueError("give partition, first and last; or since, and perhaps until")
        if by_offset and (self.last or 0) < (self.first or 0):
            raise ValueError("last is before first")
        return self

    def window(self) -> Window:
        return Window(**self.model_dump())


class RehearsalRequest(Sent):
    selection: ChosenBody | None = None
    window: WindowBody | None = Field(default=None, description="instead of a selection: announcements of a topic")
    limit: int | None = Field(default=None, ge=1, le=MOST_ITEMS, description="only so many, the oldest failures first")

    @model_validator(mode="after")
    def _has_one_source(self) -> "RehearsalRequest":
        if (self.selection is None) == (self.window is None):
            raise ValueError("give either a selection or a window")
        return self

    def order(self) -> ReplayOrder:
        source = self.selection.chosen() if self.selection else self.window and self.window.window()
        assert source is not None  # noqa: S101 - the validator above
        return ReplayOrder(source, "", limit=self.limit)


class ReplayRequest(RehearsalRequest):
    reason: Why
    canary: int = Field(default=1, ge=0, le=100, description="items whose ends are awaited before the others go")
    canary_seconds: int = Field(default=60, ge=1, le=3600, description="how long they are awaited")
    rate: float = Field(default=50.0, ge=0.1, le=1000, description="items a second")
    abort_share: float = Field(default=0.2, ge=0, le=1, description="stop where more than this share fails again")

    def order(self) -> ReplayOrder:
        asked = RehearsalRequest.order(self)
        terms = Terms(self.canary, self.canary_seconds, self.rate, self.abort_share)
        return ReplayOrder(asked.source, self.reason, terms, self.limit)


class WhyRequest(Sent):
    reason: Why


class ArchiveRequest(Sent):
    selection: ChosenBody
    reason: Why


class EditRequest(Sent):
    document: str | None = Field(default=None, description="the new body, as text in UTF-8")
    document_base64: str | None = Field(default=None, description="the new body, where it is no text")
    version: int = Field(ge=1, description="the item's version that you looked at")
    replay: StrictBool = Field(default=True, description="let it go again at once")
    reason: Why

    @model_validator(mode="after")
    def _has_one_body(self) -> "EditRequest":
        if (self.document is None) == (self.document_base64 is None):
            raise ValueError("give either document or document_base64")
        self._content()
        return self

    def edit(self) -> Edit:
        return Edit(self._content(), self.reason, self.version, self.replay)

    def _content(self) -> bytes:
        if self.document is not None:
            return self.document.encode("utf-8", "surrogatepass")
        try:
            return b64decode(self.document_base64 or "", validate=True)
        except NotBase64:
            raise ValueError("document_base64 is not base64") from None


class ReplayQuery(Paging):
    state: State | None = None


class ItemQuery(Paging):
    outcome: Line | None = None


@dataclass(frozen=True, slots=True)
class ReplayStarted:
    replay_id: UUID
    total: int
    state: Literal["running"] = "running"


@dataclass(frozen=True, slots=True)
class CauseGroups:
    groups: list[CauseGroup]


@dataclass(frozen=True, slots=True)
class Archived:
    number: int
    at: datetime
