"""Replays: the calls and their answers."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from client.answers import Page
from client.connection import Connection, given
from client.errors import ApiError, GatewayUnreachable
from client.shapes import Preview, Replay, ReplayItem, ReplayStarted, ReplaySummary

_EVERY, _UNAVAILABLE = 1.0, 503


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
