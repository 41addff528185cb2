"""Bare FastAPI: the same server, pool and queries as the gateway, without sign-in, envelope and all that comes with it.

`python -m benchmarks.reads.bare` with DATABASE_URL and HTTP_PORT in the environment.
"""

import asyncio
import gc
import os
from typing import Annotated
from uuid import UUID

import uvicorn
import uvloop
from fastapi import FastAPI, Query

from benchmarks.reads.wire import HOST
from common.clock import SYSTEM_CLOCK
from common.db.pool import Database, connect
from common.settings import CommonSettings
from gateway.adapters.postgres_invoices import PostgresInvoices
from gateway.adapters.postgres_jobs import PostgresJobs
from gateway.domain.invoices import Match
from gateway.domain.readings import InvoiceDetail, InvoiceSummary, JobStatus
from gateway.routes.invoice_schemas import InvoiceCriteria

CONNECTIONS = int(CommonSettings.model_fields["database_connections"].default)
"""As the gateway has."""


class Asked(InvoiceCriteria):
    """The same filters; a place that is not sealed."""

    after: UUID | None = None
    limit: int = 50


def make_api(database: Database) -> FastAPI:
    """What is asked for has to be there."""
    api, invoices, jobs = FastAPI(), PostgresInvoices(database), PostgresJobs(database, SYSTEM_CLOCK)

    @api.get("/jobs/{job_id}")
    async def job(job_id: UUID) -> JobStatus | None:
        return await jobs.job(job_id)

    @api.get("/invoices/{row_id}")
    async def invoice(row_id: UUID) -> InvoiceDetail | None:
        return await invoices.invoice(row_id)

    @api.get("/invoices")
    async def listed(asked: Annotated[Asked, Query()]) -> list[InvoiceSummary]:
        chosen = asked.chosen()
        match = Match.WHOLE if chosen.q is not None and await invoices.known(chosen.q) else Match.PART
        return list((await invoices.stretch(chosen, match, after=asked.after, limit=asked.limit)).items)

    return api


async def serve(url: str, port: int) -> None:
    database = await connect(url, application="bare", connections=CONNECTIONS)
    config = uvicorn.Config(
        make_api(database),
        host=HOST,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
    )
    gc.collect()
    gc.freeze()
    await uvicorn.Server(config).serve()
    await asyncio.shield(database.close())


if __name__ == "__main__":
    uvloop.run(serve(os.environ["DATABASE_URL"], int(os.environ["HTTP_PORT"])))  # noqa: TID251 - a program of its own
