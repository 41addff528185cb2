"""Schemathesis, with all its checks, over the real PostgreSQL: as every role and as nobody.

`just schemathesis 100` asks longer.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from starlette.types import ASGIApp

from common.db.pool import Database
from gateway.adapters.postgres_user_accounts import PostgresUserAccounts
from gateway.domain.access import Caller, Role, User
from gateway.domain.users import By, NewUser
from tests.contract.api.described import NOT_ASKED, SEED, walk
from tests.contract.api.rows import IDS
from tests.contract.api.walker import NOBODY, OPERATIONS
from tests.integration.gateway.world import RealWorld, insert_invoice, insert_job
from tests.unit.ubl.documents import SAMPLE

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(3600), pytest.mark.filterwarnings("ignore")]

CALLER = Caller("192.0.2.7", "test", "follow-me-1")
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "0"))  # noqa: TID251 - of a longer run, by hand

ENDS_AT_ONCE = """
CREATE FUNCTION ends() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.status = 'completed'; RETURN NEW; END $$;
CREATE TRIGGER ends BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION ends();
"""
"""Nobody fetches here: the events of a job that never ends would be waited for, and too many jobs be open."""


async def signed_in(world: RealWorld, caller: str) -> dict[str, str]:
    if caller == NOBODY:
        return {}
    admin = await world.admin()
    if caller == Role.ADMIN:
        return world.signs_in(admin)
    wanted = NewUser(f"the-{caller}", f"{caller}@example.test", Role(caller))
    made = await PostgresUserAccounts(world.database).create(wanted, "hash", By(admin, CALLER))
    return world.signs_in(User(made.id, made.username, made.email, made.role, made.is_active))


@asynccontextmanager
async def served(api: ASGIApp) -> AsyncGenerator[str]:
    """At a free port of this process and this event loop: its pool belongs to that."""
    server = uvicorn.Server(uvicorn.Config(api, port=0, log_level="critical", lifespan="off"))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True


def phases(caller: str) -> dict[str, Any]:
    """An admin asks in every way there is; the others mostly meet the guard."""
    whole = caller == Role.ADMIN or EXAMPLES > 0
    return {
        "coverage": {"enabled": whole},
        "fuzzing": {"generation": {"max-examples": EXAMPLES or 1}},
        "stateful": {"enabled": whole, "generation": {"max-examples": EXAMPLES or 1}, "max-steps": 5},
    }


@pytest.mark.parametrize("caller", [Role.ADMIN, Role.OPERATOR, Role.USER, NOBODY])
async def test_no_check_of_schemathesis_finds_a_failure(caller: str, database: Database) -> None:
    world = RealWorld(database)
    await database.execute(ENDS_AT_ONCE)
    job_id = await insert_job(database, id=UUID(IDS["job_id"]))
    row = {"id": UUID(IDS["row_id"]), "job_id": job_id, "status": "failed", "stage": "failed"}
    await insert_invoice(database, **row, ubl_data=SAMPLE.decode(), processed_at=datetime(2026, 11, 24, tzinfo=UTC))
    headers = await signed_in(world, caller)
    async with served(world.api()) as url:
        found = await asyncio.to_thread(walk, url, headers, phases(caller))
    assert not found.failures, f"seed {SEED}: {len(found.failures)} failures\n" + "\n\n".join(found.failures[:20])
    for operation in OPERATIONS:
        answers = found.answered.get(operation.name, {})
        if operation.refusal(caller):
            assert not any(status < 400 for status in answers), f"{operation.name} answers who may not: {answers}"
        elif operation.name not in NOT_ASKED:
            refused = {403} if operation.name == "auth_login" else {401, 403}  # 401 is an answer to a password
            assert set(answers) - refused, f"{operation.name} refuses who may: {answers}"
