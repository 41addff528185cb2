"""What would become of each invoice of a dry run."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Query

from gateway.domain.access import Permission
from gateway.domain.previews import PreviewItem
from gateway.domain.readings import Page
from gateway.jobs.dry_runs import ReadDryRuns
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import Guard
from gateway.routes.schemas import PreviewQuery
from gateway.use_cases import Authorize


def add_dry_run_routes(api: FastAPI, *, read: ReadDryRuns, authorize: Authorize, envelopes: Envelopes) -> None:
    reader = Depends(Guard(authorize, Permission.INVOICES_READ))

    @api.get("/api/v1/jobs/{job_id}/preview", tags=["jobs"], name="preview", dependencies=[reader])
    async def preview(job_id: UUID, query: Annotated[PreviewQuery, Query()]) -> Envelope[Page[PreviewItem]]:
        """The invoices of a dry run in the order of the listing, what would become of each, and why.

        404 for a job that is none, and for a dry run that has expired.
        """
        return envelopes.success(await read.items(job_id, query.outcome, cursor=query.cursor, limit=query.limit))
