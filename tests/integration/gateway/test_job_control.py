"""Jobs cancelled and retried, on the real PostgreSQL, with the fetcher's own closer behind them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from common.db.pool import Database
from fetcher.adapters.postgres_closing import PostgresClosing
from tests.integration.gateway.replays_world import insert_failed
from tests.integration.gateway.world import RealWorld, insert_invoice, insert_job

pytestmark = pytest.mark.stack


async def post(database: Database, job: UUID, action: str, **headers: str) -> tuple[int, dict[str, Any]]:
    http = await RealWorld(database).signed_in()
    answer = await http.post(f"/api/v1/jobs/{job}/{action}", json={"reason": "wrong month"}, headers=headers)
    found: dict[str, Any] = answer.json()
    return answer.status_code, found.get("data") or found["error"]


async def audited(database: Database, action: str) -> list[dict[str, Any]]:
    rows = await database.fetch("SELECT details FROM audit_logs WHERE action = $1", action)
    return [row["details"] for row in rows]


async def test_a_cancelled_job_is_marked_and_audited_and_the_closer_ends_it(database: Database) -> None:
    job = await insert_job(database)
    waits = await insert_invoice(database, job_id=job, status="pending", stage="validated")
    status, data = await post(database, job, "cancel")
    assert (status, data["status"], data["repeated"]) == (202, "running", False)
    assert [details["reason"] for details in await audited(database, "jobs.cancel")] == ["wrong month"]
    closing = PostgresClosing(database)
    assert [moved.id for moved in await closing.cancel_open()] == [waits]
    assert await closing.finished() == [job]
    await closing.end(job)
    ended = await database.fetchrow("SELECT status, cancelled_at FROM jobs WHERE id = $1", job)
    assert ended is not None
    assert ended["status"] == "failed"


async def test_a_job_that_nobody_has_begun_can_be_cancelled(database: Database) -> None:
    job = await insert_job(database, status="pending")
    assert (await post(database, job, "cancel"))[0] == 202
    assert await PostgresClosing(database).finished() == [job]


async def test_cancelling_again_says_how_it_stands_and_changes_nothing(database: Database) -> None:
    job = await insert_job(database)
    (_, first), (status, second) = await post(database, job, "cancel"), await post(database, job, "cancel")
    assert (status, second["repeated"], second["cancelled_at"]) == (202, True, first["cancelled_at"])
    assert len(await audited(database, "jobs.cancel")) == 1


@pytest.mark.parametrize("ended", ["completed", "failed"])
async def test_a_job_that_has_ended_is_not_cancelled(database: Database, ended: str) -> None:
    job = await insert_job(database, status=ended)
    status, error = await post(database, job, "cancel")
    assert (status, error["code"], error["details"]) == (409, "CONFLICT", {"status": ended})
    assert await audited(database, "jobs.cancel") == []
    assert await database.fetchval("SELECT cancelled_at FROM jobs WHERE id = $1", job) is None


async def test_a_cancellation_that_cannot_be_audited_does_not_happen(database: Database) -> None:
    job = await insert_job(database)
    await database.execute("ALTER TABLE audit_logs ADD CONSTRAINT full_disk CHECK (action <> 'jobs.cancel')")
    assert (await post(database, job, "cancel"))[0] == 500
    assert await database.fetchval("SELECT cancelled_at FROM jobs WHERE id = $1", job) is None


async def test_what_failed_of_a_job_goes_again_and_nothing_else(database: Database) -> None:
    job = await insert_job(database, status="completed")
    failed = [await insert_failed(database, job_id=job) for _ in range(3)]
    await insert_failed(database, job_id=await insert_job(database, status="completed"))
    status, data = await post(database, job, "retry-failed")
    frozen = await database.fetch("SELECT item_id FROM replay_items WHERE replay_id = $1", UUID(data["replay_id"]))
    assert (status, data["total"], {row["item_id"] for row in frozen}) == (202, 3, set(failed))
    assert [details["reason"] for details in await audited(database, "replays.start")] == ["wrong month"]


async def test_a_retry_with_the_same_key_is_the_same_replay(database: Database) -> None:
    job = await insert_job(database, status="completed")
    await insert_failed(database, job_id=job)
    key = {"Idempotency-Key": "once"}
    (_, first), (_, second) = [await post(database, job, "retry-failed", **key) for _ in range(2)]
    assert first == second
    other = await insert_job(database, status="completed")
    assert (await post(database, other, "retry-failed", **key))[1]["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_retry_of_nothing_says_what_there_is_instead(database: Database) -> None:
    job = await insert_job(database, status="completed")
    await insert_invoice(database, job_id=job, status="held", stage="held", reason="unknown_outcome")
    await insert_invoice(
        database, job_id=job, status="failed", stage="failed", archived_at=await database.fetchval("SELECT now()")
    )
    status, error = await post(database, job, "retry-failed")
    assert (status, error["details"]) == (409, {"failed": 0, "held": 1, "archived": 1})
    assert "No invoice of this job is failed" in error["message"]
    assert await database.fetchval("SELECT count(*) FROM replays") == 0


async def test_while_a_job_is_being_cancelled_nothing_of_it_goes_again(database: Database) -> None:
    job = await insert_job(database)
    await insert_failed(database, job_id=job)
    await post(database, job, "cancel")
    status, error = await post(database, job, "retry-failed")
    assert (status, "being cancelled" in error["message"]) == (409, True)


async def test_a_job_that_is_not_there_is_not_found(database: Database) -> None:
    for action in ("cancel", "retry-failed"):
        assert (await post(database, uuid4(), action))[0] == 404
