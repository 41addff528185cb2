"""A job as it goes: server-sent events."""

from collections.abc import AsyncGenerator, AsyncIterable
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import TypeAdapter

from gateway.domain.access import Permission, User
from gateway.domain.progress import LAST, JobProgress, Reading, Viewer
from gateway.jobs.progress import Seat, Watches
from gateway.routes.guard import Guard
from gateway.use_cases import Authorize

_JSON = TypeAdapter(JobProgress)
_NOTHING_MORE = 204
"""After it a browser's EventSource does not come again."""
_RESPONSES: dict[int | str, dict[str, Any]] = {_NOTHING_MORE: {"description": "the end was seen: nothing will come"}}

LastEventId = Annotated[
    int,
    Header(alias="Last-Event-ID", ge=0, le=LAST, description="the last event seen: only what is newer is told"),
]


def add_job_event_routes(api: FastAPI, *, watches: Watches, authorize: Authorize) -> None:
    watcher = Guard(authorize, Permission.JOBS_READ)

    async def take_seat(
        job_id: UUID, user: Annotated[User, Depends(watcher)], response: Response, after: LastEventId = 0
    ) -> AsyncGenerator[Seat, None]:
        await authorize.again(user, Permission.JOBS_READ)  # a stream lasts: who it is for is asked now
        async with watches.seat(job_id, Viewer(user.id, user.token_generation), after=after) as seat:
            if seat.over:
                response.status_code = _NOTHING_MORE
            yield seat

    @api.get(
        "/api/v1/jobs/{job_id}/events",
        tags=["jobs"],
        name="events",
        response_class=EventSourceResponse,
        responses=_RESPONSES,
    )
    async def events(seat: Annotated[Seat, Depends(take_seat)]) -> AsyncIterable[JobProgress]:
        """A running job by server-sent events: `progress` at each change, `end` once at its end, then it closes.

        `id` only grows, also through restarts and from replica to replica. A stream that closes without `end` goes on
        with `Last-Event-ID`; 204 where the end was seen.
        """
        async for reading in seat.readings():
            # FastAPI takes the schema of `data` from the annotation, and lets whole events pass as they are
            yield cast("JobProgress", _event(reading))


def _event(reading: Reading) -> ServerSentEvent:
    kind = "end" if reading.ended else "progress"
    return ServerSentEvent(raw_data=_JSON.dump_json(reading.progress).decode(), event=kind, id=str(reading.number))
