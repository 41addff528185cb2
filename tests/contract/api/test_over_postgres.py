"""The walk once more, over the real PostgreSQL: what a fake takes, a column may not hold."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from common.db.pool import Database
from tests.contract.api.asking import odd_parameters, other_bodies, requests, usual
from tests.contract.api.rows import IDS
from tests.contract.api.walker import OPERATIONS, Operation, Request, check, send
from tests.integration.gateway.world import RealWorld, insert_invoice, insert_job

pytestmark = pytest.mark.stack

LONGEST = 15.0
WALKED = [operation for operation in OPERATIONS if operation.name != "recovery_run"]
"""Without a broker that one waits for it; so does a replay of a window."""
MORE = settings(
    max_examples=8,
    deadline=None,
    database=None,
    print_blob=True,
    phases=[Phase.generate],  # each example is a walk over the whole API: shrinking one would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
async def http(database: Database) -> httpx.AsyncClient:
    """An admin, and rows behind the addresses."""
    job_id = await insert_job(database, id=UUID(IDS["job_id"]), status="completed")
    row = {"id": UUID(IDS["row_id"]), "job_id": job_id, "status": "failed", "stage": "failed"}
    await insert_invoice(database, **row, processed_at=datetime(2026, 11, 24, tzinfo=UTC))
    return await RealWorld(database).signed_in()


async def ask(http: httpx.AsyncClient, request: Request, operation: Operation) -> None:
    if request.content and b'"window"' in request.content:
        return
    async with asyncio.timeout(LONGEST):
        check(await send(http, request), operation)


@pytest.mark.parametrize("badly", [odd_parameters, other_bodies])
async def test_who_asks_badly_meets_no_defect(badly: Any, http: httpx.AsyncClient) -> None:
    for operation in WALKED:
        await ask(http, usual(operation), operation)
        for request in badly(operation):
            await ask(http, request, operation)


@MORE
@given(data=st.data())
async def test_whatever_is_sent_meets_no_defect(data: st.DataObject, http: httpx.AsyncClient) -> None:
    for operation in WALKED:
        await ask(http, data.draw(requests(operation)), operation)
