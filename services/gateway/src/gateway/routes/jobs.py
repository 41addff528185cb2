"""Starting and watching jobs."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Response

from gateway.domain.access import Permission, User
from gateway.domain.readings import JobStatus, JobSummary, Page
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import FromCaller, Guard, json_only
from gateway.routes.schemas import JobQuery, ProcessRequest, Started
from gateway.use_cases import Authorize, ReadJobs, StartProcessing

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="the same key and body again give the same job; with another body 422 IDEMPOTENCY_KEY_REUSED",
    ),
]


def add_job_routes(
    api: FastAPI, *, start: StartProcessing, read: ReadJobs, authorize: Authorize, envelopes: Envelopes
) -> None:
    starter = Guard(authorize, Permission.INVOICES_PROCESS)
    reader = Depends(Guard(authorize, Permission.JOBS_READ))

    @api.post("/api/v1/invoices/process", tags=["jobs"], status_code=202, dependencies=[Depends(json_only)])
    async def process(
        user: Annotated[User, Depends(starter)],
        caller: FromCaller,
        response: Response,
        body: ProcessRequest,
        key: IdempotencyKey = None,
    ) -> Envelope[Started]:
        """Start a job that fetches, validates and sends invoices. `Location` names where to watch it.

        With `dry_run` it sends nothing: the job's `preview` says what would have come of it, for a day.
        """
        receipt = await start(body.order(), user, caller, key=key)
        response.headers["Location"] = f"/api/v1/jobs/{receipt.job_id}"
        if receipt.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        return envelopes.success(Started.of(receipt, dry_run=body.dry_run))

    @api.get("/api/v1/jobs", tags=["jobs"], name="list", dependencies=[reader])
    async def jobs(query: Annotated[JobQuery, Query()]) -> Envelope[Page[JobSummary]]:
        """Jobs, newest first; dry runs only where they are asked for."""
        return envelopes.success(await read.page(query.chosen(), cursor=query.cursor, limit=query.limit))

    @api.get("/api/v1/jobs/{job_id}", tags=["jobs"], name="get", dependencies=[reader])
    async def job(job_id: UUID) -> Envelope[JobStatus]:
        """One job with its results and its newest 100 failed or held invoices."""
        return envelopes.success(await read.one(job_id))
