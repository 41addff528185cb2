"""What failed: listed, grouped, looked at, edited, set aside."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Query

from gateway.domain.access import Permission, User
from gateway.domain.editing import Edited
from gateway.domain.failures import FailedDetail, FailedSummary
from gateway.domain.readings import Page
from gateway.replay.orders import ReadFailures
from gateway.replay.stories import ReplayStories
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import FromCaller, Guard, json_only
from gateway.routes.replay_schemas import Archived, ArchiveRequest, CauseGroups, EditRequest, FailedQuery
from gateway.use_cases import Authorize

_PATH = "/api/v1/failed-messages"


def add_failed_message_routes(
    api: FastAPI, *, stories: ReplayStories, authorize: Authorize, envelopes: Envelopes
) -> None:
    _add_readings(api, stories.read_failures, Depends(Guard(authorize, Permission.FAILED_READ)), envelopes)
    writer = Guard(authorize, Permission.FAILED_WRITE)

    @api.put(f"{_PATH}/{{row_id}}/document", tags=["failed"], name="edit", dependencies=[Depends(json_only)])
    async def change(
        row_id: UUID, user: Annotated[User, Depends(writer)], caller: FromCaller, body: EditRequest
    ) -> Envelope[Edited]:
        """Store a new body, if it would not fail again, and let it go. The original and a diff are kept."""
        return envelopes.success(await stories.edit(row_id, body.edit(), user, caller))

    @api.post(f"{_PATH}/archive", tags=["failed"], dependencies=[Depends(json_only)])
    async def archive(
        user: Annotated[User, Depends(writer)], caller: FromCaller, body: ArchiveRequest
    ) -> Envelope[Archived]:
        """Set failures aside: they are in no list and no replay until they are restored."""
        number = await stories.aside.archive(body.selection.chosen(), body.reason, user, caller)
        return envelopes.success(Archived(number=number, at=envelopes.clock.now()))

    @api.post(f"{_PATH}/restore", tags=["failed"], dependencies=[Depends(json_only)])
    async def restore(
        user: Annotated[User, Depends(writer)], caller: FromCaller, body: ArchiveRequest
    ) -> Envelope[Archived]:
        """Take back what was set aside."""
        number = await stories.aside.restore(body.selection.chosen(), body.reason, user, caller)
        return envelopes.success(Archived(number=number, at=envelopes.clock.now()))


def _add_readings(api: FastAPI, read: ReadFailures, reader: Any, envelopes: Envelopes) -> None:
    needed = [reader]

    @api.get(_PATH, tags=["failed"], name="list", dependencies=needed)
    async def failures(query: Annotated[FailedQuery, Query()]) -> Envelope[Page[FailedSummary]]:
        """Failed invoices and unreadable records, newest first. A text is looked for among the newest 10,000."""
        page = await read.page(query.selection(), cursor=query.cursor, limit=query.limit)
        return envelopes.success(page)

    @api.get(f"{_PATH}/groups", tags=["failed"], name="groups", dependencies=needed)
    async def groups() -> Envelope[CauseGroups]:
        """Failures by their cause; the cause that struck last comes first."""
        return envelopes.success(CauseGroups(groups=await read.groups()))

    @api.get(f"{_PATH}/{{row_id}}", tags=["failed"], name="get", dependencies=needed)
    async def failure(row_id: UUID) -> Envelope[FailedDetail]:
        """One of them with its body, its versions and the replays that it was in."""
        return envelopes.success(await read.one(row_id))
