"""Replays: rehearsed, started, watched, controlled."""

from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Response

from gateway.domain.access import Permission, User
from gateway.domain.readings import Page
from gateway.domain.replays import Preview, ReplayItem, ReplayStatus, ReplaySummary
from gateway.replay.orders import ReadReplays
from gateway.replay.stories import ReplayStories
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import FromCaller, Guard, json_only
from gateway.routes.jobs import IdempotencyKey
from gateway.routes.replay_schemas import (
    ItemQuery,
    RehearsalRequest,
    ReplayQuery,
    ReplayRequest,
    ReplayStarted,
    WhyRequest,
)
from gateway.use_cases import Authorize

_PATH = "/api/v1/replays"
_TO: dict[str, Literal["running", "paused", "cancelled"]] = {
    "pause": "paused",
    "resume": "running",
    "cancel": "cancelled",
}
Action: TypeAlias = Literal["pause", "resume", "cancel"]


def add_replay_routes(api: FastAPI, *, stories: ReplayStories, authorize: Authorize, envelopes: Envelopes) -> None:
    _add_readings(api, stories.read, Depends(Guard(authorize, Permission.REPLAYS_READ)), envelopes)
    writer = Guard(authorize, Permission.REPLAYS_WRITE)
    json = [Depends(json_only)]

    @api.post(f"{_PATH}/rehearsal", tags=["replays"], dependencies=[*json, Depends(writer)])
    async def rehearsal(body: RehearsalRequest) -> Envelope[Preview]:
        """A dry run: what would move, what would not and why; nothing is written."""
        return envelopes.success(await stories.start.rehearse(body.order()))

    @api.post(_PATH, tags=["replays"], name="start", status_code=202, dependencies=json)
    async def replay(
        user: Annotated[User, Depends(writer)],
        caller: FromCaller,
        response: Response,
        body: ReplayRequest,
        key: IdempotencyKey = None,
    ) -> Envelope[ReplayStarted]:
        """Freeze the selection and let it go, the canary first. `Location` names where to watch it."""
        receipt = await stories.start(body.order(), user, caller, key=key)
        response.headers["Location"] = f"{_PATH}/{receipt.replay_id}"
        if receipt.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        return envelopes.success(ReplayStarted(replay_id=receipt.replay_id, total=receipt.total))

    @api.post(f"{_PATH}/{{replay_id}}/{{action}}", tags=["replays"], name="control", dependencies=json)
    async def change(
        replay_id: UUID, action: Action, user: Annotated[User, Depends(writer)], caller: FromCaller, body: WhyRequest
    ) -> Envelope[ReplayStatus]:
        """Pause, resume or cancel; what has gone already goes on."""
        return envelopes.success(await stories.control(replay_id, _TO[action], body.reason, user, caller))


def _add_readings(api: FastAPI, read: ReadReplays, reader: Any, envelopes: Envelopes) -> None:
    needed = [reader]

    @api.get(_PATH, tags=["replays"], name="list", dependencies=needed)
    async def replays(query: Annotated[ReplayQuery, Query()]) -> Envelope[Page[ReplaySummary]]:
        """Replays, newest first."""
        return envelopes.success(await read.page(query.state, cursor=query.cursor, limit=query.limit))

    @api.get(f"{_PATH}/{{replay_id}}", tags=["replays"], name="get", dependencies=needed)
    async def one(replay_id: UUID) -> Envelope[ReplayStatus]:
        """One replay, with where its items stand now."""
        return envelopes.success(await read.one(replay_id))

    @api.get(f"{_PATH}/{{replay_id}}/items", tags=["replays"], name="items", dependencies=needed)
    async def items(replay_id: UUID, query: Annotated[ItemQuery, Query()]) -> Envelope[Page[ReplayItem]]:
        """What became of each item, in order."""
        page = await read.items(replay_id, query.outcome, cursor=query.cursor, limit=query.limit)
        return envelopes.success(page)
