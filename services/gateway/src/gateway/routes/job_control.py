"""Ending a job early, and retrying what of it failed."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Response

from gateway.domain.access import Permission, User
from gateway.jobs.cancelling import CancelJob
from gateway.replay.retrying import RetryFailed
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import FromCaller, Guard, json_only
from gateway.routes.jobs import IdempotencyKey
from gateway.routes.replay_schemas import ReplayStarted, WhyRequest
from gateway.routes.schemas import CancelledJob
from gateway.use_cases import Authorize


def add_job_control_routes(
    api: FastAPI, *, cancel: CancelJob, retry: RetryFailed, authorize: Authorize, envelopes: Envelopes
) -> None:
    canceller, writer = Guard(authorize, Permission.JOBS_CANCEL), Guard(authorize, Permission.REPLAYS_WRITE)
    json = [Depends(json_only)]

    @api.post("/api/v1/jobs/{job_id}/cancel", tags=["jobs"], name="cancel", status_code=202, dependencies=json)
    async def cancel_job(
        job_id: UUID,
        user: Annotated[User, Depends(canceller)],
        caller: FromCaller,
        response: Response,
        body: WhyRequest,
    ) -> Envelope[CancelledJob]:
        """End a job early: the listing stops, what is open fails, what is being sent ends by itself.

        Cancelling it again says how it stands; 409 for a job that has ended. `Location` names where to watch the end.
        """
        response.headers["Location"] = f"/api/v1/jobs/{job_id}"
        return envelopes.success(CancelledJob.of(await cancel(job_id, body.reason, user, caller)))

    @api.post(
        "/api/v1/jobs/{job_id}/retry-failed", tags=["jobs"], name="retry_failed", status_code=202, dependencies=json
    )
    async def retry_failed(
        job_id: UUID,
        user: Annotated[User, Depends(writer)],
        caller: FromCaller,
        response: Response,
        body: WhyRequest,
        key: IdempotencyKey = None,
    ) -> Envelope[ReplayStarted]:
        """Replay the failed invoices of a job, the canary first. `Location` names the replay; 409 where none failed."""
        receipt = await retry(job_id, body.reason, user, caller, key=key)
        response.headers["Location"] = f"/api/v1/replays/{receipt.replay_id}"
        if receipt.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        return envelopes.success(ReplayStarted(replay_id=receipt.replay_id, total=receipt.total))
