"""Replays: the calls and their answers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from client.answers import Answer, Page
from client.connection import Connection, given
from client.errors import ApiError, GatewayUnreachable
from client.failures import FailedSummary

_EVERY, _UNAVAILABLE = 1.0, 503


class Cause(Answer):
    group: str
    cause: str
    count: int


class ItemRefusal(Answer):
    item_id: UUID
    outcome: str
    why: str


class Preview(Answer):
    total: int
    outcomes: dict[str, int]
    causes: list[Cause]
    sample: list[FailedSummary]
    refusals: list[ItemRefusal]


class Terms(Answer):
    canary: int
    canary_seconds: int
    rate: float
    abort_share: float


class ReplayStarted(Answer):
    replay_id: UUID
    total: int
    state: str


class ReplaySummary(Answer):
    id: UUID
    state: str
    reason: str
    user_id: UUID
    selection: dict[str, Any]
    terms: Terms
    total: int
    waiting: int
    outcomes: dict[str, int] = Field(default_factory=dict[str, int])
    note: str | None = None
    created_at: datetime
    ended_at: datetime | None = None

    @property
    def stands(self) -> bool:
        """Whether nothing of it moves any more by itself."""
        return self.state != "running"


class Replay(ReplaySummary):
    ends: dict[str, int] = Field(default_factory=dict[str, int])


class ReplayItem(Answer):
    position: int
    kind: str
    item_id: UUID
    state: str
    outcome: str | None = None
    why: str | None = None
    now: str | None = None
    done_at: datetime | None = None


class ReplayCalls(Connection):
    def rehearse_replay(self, source: Mapping[str, Any], *, limit: int | None = None) -> Preview:
        """A dry run. `source`: `{"selection": {...}}` or `{"window": {...}}`."""
        body = given({**source, "limit": limit})
        return self._call("POST", "/api/v1/replays/rehearsal", Preview, json=body)

    def start_replay(
        self,
        source: Mapping[str, Any],
        *,
        reason: str,
        terms: Mapping[str, Any] | None = None,
        limit: int | None = None,
        idempotency_key: str | None = None,
    ) -> ReplayStarted:
        """`terms`: canary, canary_seconds, rate, abort_share. With a key a repetition is safe."""
        body = given({**source, **(terms or {}), "reason": reason, "limit": limit})
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._call("POST", "/api/v1/replays", ReplayStarted, json=body, headers=headers)

    def replays(self, *, state: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[ReplaySummary]:
        """Newest first."""
        query = given({"state": state, "limit": limit, "cursor": cursor})
        return self._call("GET", "/api/v1/replays", Page[ReplaySummary], params=query)

    def replay(self, replay_id: UUID | str) -> Replay:
        return self._call("GET", f"/api/v1/replays/{replay_id}", Replay)

    def await_replay(self, replay_id: UUID | str) -> Replay:
        """Follow a replay until it stands. A gateway that is away for a while is waited for."""
        while True:
            try:
                if (found := self.replay(replay_id)).stands:
                    return found
            except GatewayUnreachable:
                pass
            except ApiError as error:
                if error.status != _UNAVAILABLE:
                    raise
            self._sleep(_EVERY)

    def replay_items(
        self, replay_id: UUID | str, *, outcome: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[ReplayItem]:
        """In their order."""
        query = given({"outcome": outcome, "limit": limit, "cursor": cursor})
        return self._call("GET", f"/api/v1/replays/{replay_id}/items", Page[ReplayItem], params=query)

    def control_replay(self, replay_id: UUID | str, action: str, *, reason: str) -> Replay:
        """`pause`, `resume` or `cancel`."""
        return self._call("POST", f"/api/v1/replays/{replay_id}/{action}", Replay, json={"reason": reason})
