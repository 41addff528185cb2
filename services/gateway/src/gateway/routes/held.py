"""Held invoices: what waits for a person, and what that person decides."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Response

from gateway.domain.access import Permission, User
from gateway.domain.held import HeldDetail, HeldSummary, Resolved
from gateway.domain.readings import Page
from gateway.held import ReadHeld, ResolveHeld
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import FromCaller, Guard, json_only
from gateway.routes.jobs import IdempotencyKey
from gateway.routes.schemas import HeldQuery, ResolveRequest
from gateway.use_cases import Authorize


def add_held_routes(
    api: FastAPI, *, read: ReadHeld, resolve: ResolveHeld, authorize: Authorize, envelopes: Envelopes
) -> None:
    reader = Depends(Guard(authorize, Permission.HELD_READ))
    resolver = Guard(authorize, Permission.HELD_RESOLVE)

    @api.get("/api/v1/held", tags=["held"], name="list", dependencies=[reader])
    async def held(query: Annotated[HeldQuery, Query()]) -> Envelope[Page[HeldSummary]]:
        """Invoices that wait for a person; the one that was listed first comes first."""
        return envelopes.success(await read.page(query.chosen(), cursor=query.cursor, limit=query.limit))

    @api.get("/api/v1/held/{row_id}", tags=["held"], name="get", dependencies=[reader])
    async def one(row_id: UUID) -> Envelope[HeldDetail]:
        """One held invoice: its attempts, the other version and what differs, and what may be decided now."""
        return envelopes.success(await read.one(row_id))

    @api.post("/api/v1/held/{row_id}/resolve", tags=["held"], dependencies=[Depends(json_only)])
    async def resolve_held(
        row_id: UUID,
        user: Annotated[User, Depends(resolver)],
        caller: FromCaller,
        response: Response,
        body: ResolveRequest,
        key: IdempotencyKey = None,
    ) -> Envelope[Resolved]:
        """Decide. 409 with the standing where somebody was first, or where it may not be decided so (yet)."""
        resolved = await resolve(row_id, body.decision(user, caller, key=key))
        if resolved.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        return envelopes.success(resolved)
