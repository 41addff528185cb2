"""What the gateway writes and reads, on the real PostgreSQL."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from gateway.adapters.postgres_jobs import PostgresJobs
from gateway.adapters.postgres_users import PostgresUsers
from tests.integration.gateway.world import ADMIN, PASSWORD, RealWorld, insert_invoice, insert_job
from tests.unit.gateway.contract import check_jobs

pytestmark = pytest.mark.stack

PROCESS = "/api/v1/invoices/process"


async def items(world: RealWorld, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = await (await world.signed_in()).get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["items"]
    return found


async def audited(database: Database) -> list[tuple[str, str | None, str | None]]:
    rows = await database.fetch("SELECT action, host(ip_address) AS ip, user_agent FROM audit_logs ORDER BY created_at")
    return [(row["action"], row["ip"], row["user_agent"]) for row in rows]


async def test_an_order_is_a_pending_job_with_a_timer_and_an_audit_entry(database: Database) -> None:
    world = RealWorld(database)
    body = {"force_processing": True, "invoice_ids": ["A", "B"], "reason": "asked for"}
    headers = {"X-Correlation-ID": "follow-me-1", "User-Agent": "test"}
    answer = await (await world.signed_in()).post(PROCESS, json=body, headers=headers)
    job = await database.fetchrow("SELECT *, wake_at - now() AS waits FROM jobs")
    assert job is not None
    assert str(job["id"]) == answer.json()["data"]["job_id"]
    assert (job["status"], job["job_type"], job["invoice_ids"]) == ("pending", "manual", ["A", "B"])
    assert (job["force_processing"], job["reason"], job["correlation_id"]) == (True, "asked for", "follow-me-1")
    assert timedelta(0) < job["waits"] <= timedelta(seconds=5)
    entry = await database.fetchrow("SELECT * FROM audit_logs WHERE action = 'jobs.request'")
    assert entry is not None
    assert (entry["resource_type"], entry["resource_id"], entry["user_id"]) == ("job", job["id"], job["triggered_by"])
    assert entry["details"] == body | {"correlation_id": "follow-me-1"}
    assert (str(entry["ip_address"]), entry["user_agent"]) == ("192.0.2.7", "test")


async def test_an_order_that_is_not_stored_whole_is_not_stored_at_all(database: Database) -> None:
    world = RealWorld(database)
    http = await world.signed_in()
    await database.execute("ALTER TABLE audit_logs ADD CONSTRAINT full_disk CHECK (action <> 'jobs.request')")
    answer = await http.post(PROCESS, json={}, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 500
    assert await database.fetchval("SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM idempotency_keys)") == 0
    assert world.requests.announced == []


async def test_ten_requests_at_once_with_one_key_make_one_job(database: Database) -> None:
    world = RealWorld(database)
    http = await world.signed_in()
    answers = await asyncio.gather(
        *(http.post(PROCESS, json={}, headers={"Idempotency-Key": "once"}) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({str(answer.json()["data"]) for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 9
    assert await database.fetchval("SELECT count(*) FROM jobs") == len(world.requests.announced) == 1


async def test_a_key_that_meets_another_body_is_refused_and_changes_nothing(database: Database) -> None:
    http = await RealWorld(database).signed_in()
    for body, status in (({}, 202), ({"invoice_ids": ["A"]}, 422), ({}, 202)):
        answer = await http.post(PROCESS, json=body, headers={"Idempotency-Key": "once"})
        assert answer.status_code == status
    assert await database.fetchval("SELECT count(*) FROM jobs") == 1


async def test_signing_in_is_audited_and_a_wrong_name_is_not_kept(database: Database) -> None:
    world = RealWorld(database)
    await world.admin()
    http = world.http(**{"User-Agent": "curl"})
    for username, password in ((ADMIN, PASSWORD), (ADMIN, "wrong"), ("my-password-by-mistake", "x")):
        await http.post("/auth/login", json={"username": username, "password": password})
    assert await audited(database) == [
        ("users.bootstrap", None, None),
        ("auth.login", "192.0.2.7", "curl"),
        ("auth.login_failed", "192.0.2.7", "curl"),
        ("auth.login_failed", "192.0.2.7", "curl"),
    ]
    whole = await database.fetchval("SELECT string_agg(a::text, '') FROM audit_logs a")
    assert "my-password-by-mistake" not in whole


async def test_the_audit_log_only_grows(database: Database) -> None:
    await RealWorld(database).admin()
    for statement in ("UPDATE audit_logs SET action = 'x'", "DELETE FROM audit_logs", "TRUNCATE audit_logs"):
        with pytest.raises(Exception, match="append-only"):
            await database.execute(statement)


async def test_replicas_that_start_at_once_make_one_admin_and_never_overwrite_it(database: Database) -> None:
    await asyncio.gather(*(RealWorld(database).admin() for _ in range(5)))
    before = await database.fetchval("SELECT password_hash FROM users")
    await RealWorld(database).admin()
    assert await database.fetchval("SELECT count(*) FROM users") == 1
    assert await database.fetchval("SELECT password_hash FROM users") == before


async def test_a_job_tells_its_results_its_error_and_its_newest_hundred_troubles(database: Database) -> None:
    results = {"total_invoices": 7, "processed": 5, "failed": 1, "duplicates": 0, "held": 1, "open": 0, "amounts": {}}
    fault = {"code": "EXTERNAL_API_ERROR", "message": "the source answered 503", "details": {"status_code": 503}}
    job = await insert_job(database, status="failed", results=results, error=fault, error_message="listing failed")
    for number in range(103):
        await insert_invoice(
            database,
            job_id=job,
            invoice_id=f"SRC-{number:03}",
            status="failed" if number % 2 else "held",
            stage="failed" if number % 2 else "held",
            reason="invalid" if number % 2 else "unknown_outcome",
            error_message="bad totals" if number % 2 else None,
            updated_at=SYSTEM_CLOCK.now() + timedelta(seconds=number),
        )
    await insert_invoice(database, job_id=job)
    data = (await (await RealWorld(database).signed_in()).get(f"/api/v1/jobs/{job}")).json()["data"]
    assert data["results"] == results
    assert data["error"] == fault
    assert [error["invoice_id"] for error in data["errors"]] == [f"SRC-{number:03}" for number in range(102, 2, -1)]
    assert [error["error"] for error in data["errors"][:2]] == ["unknown_outcome", "bad totals"]
    assert data["errors"][0]["timestamp"].endswith("Z")


async def test_results_of_a_newer_fetcher_are_no_defect(database: Database) -> None:
    job = await insert_job(database, results={"total_invoices": 1, "postponed": 3})
    data = (await (await RealWorld(database).signed_in()).get(f"/api/v1/jobs/{job}")).json()["data"]
    assert (data["results"]["total_invoices"], data["results"]["processed"]) == (1, 0)


async def test_jobs_are_filtered_and_paged_newest_first(database: Database) -> None:
    world, now = RealWorld(database), SYSTEM_CLOCK.now()
    same_moment = [await insert_job(database, created_at=now, status="completed") for _ in range(3)]
    await insert_job(database, job_type="scheduled", created_at=now)
    http, cursor, seen = await world.signed_in(), None, []
    for _ in range(3):
        query = {"limit": 1, "status": "completed"} | ({"cursor": cursor} if cursor else {})
        data = (await http.get("/api/v1/jobs", params=query)).json()["data"]
        seen += [item["job_id"] for item in data["items"]]
        cursor = data["next_cursor"]
    assert cursor is None
    assert seen == [str(job) for job in sorted(same_moment, reverse=True)]
    assert len(await items(world, "/api/v1/jobs", job_type="scheduled")) == 1


async def test_invoices_are_filtered_by_each_field(database: Database) -> None:
    world = RealWorld(database)
    job = await insert_job(database)
    wanted = await insert_invoice(
        database, job_id=job, invoice_id="SRC-1", number="2026/1", dossier="0123456789", status="held", stage="held"
    )
    await insert_invoice(database, job_id=await insert_job(database), number="2026/2", dossier="0987654321")
    filters = {
        "status": "held",
        "stage": "held",
        "job_id": str(job),
        "number": "2026/1",
        "invoice_id": "SRC-1",
        "dossier": "0123456789",
    }
    for name, value in filters.items():
        assert [item["id"] for item in await items(world, "/api/v1/invoices", **{name: value})] == [str(wanted)], name
    assert await items(world, "/api/v1/invoices", **filters | {"number": "2026/2"}) == []
    assert len(await items(world, "/api/v1/invoices")) == 2
    assert await items(world, "/api/v1/invoices", job_id=str(uuid4())) == []


async def test_the_invoices_of_a_job_of_long_ago_are_found_by_it(database: Database) -> None:
    now = SYSTEM_CLOCK.now()
    job = await insert_job(database, created_at=now - timedelta(days=40), listed_at=now - timedelta(days=40))
    old: UUID = await database.fetchval("SELECT uuidv7(interval '-40 days')")
    await insert_invoice(database, id=old, job_id=job)
    assert [item["id"] for item in await items(RealWorld(database), "/api/v1/invoices", job_id=str(job))] == [str(old)]


async def test_pages_of_invoices_have_no_gap_while_new_ones_arrive(database: Database) -> None:
    http, cursor, seen = await RealWorld(database).signed_in(), None, []
    rows = [await insert_invoice(database) for _ in range(5)]
    for _ in range(3):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        data = (await http.get("/api/v1/invoices", params=query)).json()["data"]
        seen += [item["id"] for item in data["items"]]
        cursor = data["next_cursor"]
        await insert_invoice(database)
    assert seen == [str(row) for row in reversed(rows)]


async def test_an_invoice_tells_its_whole_story_in_order(database: Database) -> None:
    row = await insert_invoice(
        database, number="2026/1", amount=12, currency="EUR", findings=[{"rule": "R1"}], content_sha256=b"\xff"
    )
    at = SYSTEM_CLOCK.now()
    for version, stage in enumerate(("fetched", "validated", "sending", "sent"), 1):
        await database.execute(
            "INSERT INTO invoice_events (invoice_id, version, at, stage, actor) VALUES ($1, $2, $3, $4, 'x')",
            row,
            version,
            at + timedelta(seconds=version),
            stage,
        )
    await database.execute(
        """INSERT INTO attempts (invoice_id, number, version, reference, started_at, lease_until, ended_at, outcome,
               uuid, response) VALUES ($1, 1, 3, $2, $3, $3, $3, 'accepted', 'cf-1', $4)""",
        row,
        uuid4(),
        at + timedelta(seconds=3),
        {"status": 201},
    )
    data = (await (await RealWorld(database).signed_in()).get(f"/api/v1/invoices/{row}")).json()["data"]
    told = [entry.get("stage") or entry["outcome"] for entry in data["timeline"]]
    assert told == ["fetched", "validated", "sending", "accepted", "sent"]
    assert (data["amount"], data["findings"], data["content_sha256"]) == ("12", [{"rule": "R1"}], "ff")
    assert data["timeline"][3]["response"] == {"status": 201}
    assert "<Invoice/>" not in str(data)


async def test_a_duplicate_names_its_original(database: Database) -> None:
    original = await insert_invoice(database, invoice_id="SRC-1", number="2026/1")
    copy = await insert_invoice(database, status="duplicate", stage="duplicate", duplicate_of=original)
    data = (await (await RealWorld(database).signed_in()).get(f"/api/v1/invoices/{copy}")).json()["data"]
    assert data["duplicate_of"] == {
        "id": str(original),
        "invoice_id": "SRC-1",
        "number": "2026/1",
        "status": "sent",
        "stage": "sent",
    }


async def test_a_database_that_refuses_is_unavailable_and_comes_back(database: Database, database_url: str) -> None:
    http = await RealWorld(database).signed_in()
    name = database_url.rsplit("/", 1)[1]
    elsewhere = await asyncpg.connect(database_url.rsplit("/", 1)[0] + "/postgres")
    await elsewhere.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await elsewhere.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    answer = await http.get("/api/v1/jobs")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "5"
    await elsewhere.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await elsewhere.close()
    assert (await http.get("/api/v1/jobs")).status_code == 200


async def test_the_database_keeps_the_contract_of_jobs(database: Database) -> None:
    users = PostgresUsers(database)
    ann = await RealWorld(database).admin()
    await database.execute("INSERT INTO users (username, email, password_hash) VALUES ('bob', 'bob@x.test', 'hash')")
    bob = await users.account("bob")
    assert bob is not None
    await check_jobs(PostgresJobs(database, SYSTEM_CLOCK), ann, bob.user)
