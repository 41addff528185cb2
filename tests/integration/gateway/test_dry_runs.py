"""Dry runs as the API tells of them, over the rows that fetcher and validator leave."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from gateway.adapters.postgres_progress import PostgresProgress
from tests.integration.gateway.world import RealWorld

pytestmark = pytest.mark.stack

URL = "/api/v1/invoices/process"
ITEMS: list[dict[str, Any]] = [
    {"outcome": "would_go", "currency": "EUR", "amount": 12},
    {"outcome": "would_go", "currency": "EUR", "amount": 30},
    {"outcome": "would_fail", "reason": "invalid", "error": "BR-CO-15: totals differ", "currency": "EUR", "amount": 5},
    {"outcome": "would_fail", "reason": "invalid", "error": "BR-CO-15: other totals differ"},
    {"outcome": "would_fail", "reason": "force_refused", "error": "row X may have been sent"},
    {"outcome": "would_wait", "reason": "paused", "error": "sending is paused: year end"},
    {"outcome": "duplicate", "twin": UUID(int=7)},
    {"outcome": "known", "twin": UUID(int=8)},
]  # fmt: skip
_TABLES = ("jobs", "job_pages", "invoices", "invoice_keys", "idempotency_keys", "notifications", "watermarks")


async def order(http: httpx.AsyncClient, **body: Any) -> UUID:
    answer = await http.post(URL, json={"dry_run": True} | body)
    assert answer.status_code == 202, answer.text
    assert answer.json()["data"]["dry_run"]
    return UUID(answer.json()["data"]["job_id"])


async def judged(database: Database, run: UUID, items: list[dict[str, Any]] = ITEMS) -> None:
    for number, item in enumerate(items):
        columns = {"dry_run_id": run, "id": SYSTEM_CLOCK.new_id(), "source_id": f"s-{number}", "sha256": b""} | item
        places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
        sql = f"INSERT INTO dry_run_items ({', '.join(columns)}) VALUES ({places})"
        await database.execute(sql, *columns.values())


async def end(database: Database, run: UUID) -> None:
    await database.execute(
        """UPDATE dry_runs SET status = 'completed', started_at = now() - interval '9 s', completed_at = now(),
           listed_at = now(), counts = dry_run_counts(id) WHERE id = $1""",
        run,
    )


async def data(http: httpx.AsyncClient, path: str, **query: Any) -> Any:
    answer = await http.get(f"/api/v1/jobs{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_a_dry_run_is_ordered_without_a_job_a_record_or_anything_else(database: Database) -> None:
    world = RealWorld(database)
    async with await world.signed_in() as http:
        run = await order(http, reason="tonight", invoice_ids=["A"])
    assert world.requests.announced == []
    assert [await database.fetchval(f"SELECT count(*) FROM {table}") for table in _TABLES] == [0] * len(_TABLES)
    details = await database.fetchval("SELECT details FROM audit_logs WHERE resource_id = $1", run)
    assert (details["dry_run"], details["invoice_ids"], details["reason"]) == (True, ["A"], "tonight")
    assert await database.fetchval("SELECT expires_at - created_at = interval '24 h' FROM dry_runs WHERE id = $1", run)


async def test_it_answers_like_a_job_with_the_numbers_of_the_night(database: Database) -> None:
    async with await RealWorld(database).signed_in() as http:
        run = await order(http)
        await judged(database, run)
        running = await data(http, f"/{run}")
        await end(database, run)
        job = await data(http, f"/{run}")
    counts = {"would_go": 2, "would_fail": 3, "would_wait": 1, "duplicates": 1, "known": 1, "open": 0}
    assert job["preview"] == counts | {"expires_at": job["preview"]["expires_at"]}
    assert running["preview"] == job["preview"]
    assert (job["dry_run"], job["status"], job["job_type"], job["duration_seconds"]) == (True, "completed", "manual", 9)
    assert job["results"] == {
        "total_invoices": 8, "processed": 0, "failed": 3, "duplicates": 2, "held": 1, "open": 0,
        "amounts": {"would_go": {"EUR": "42"}, "failed": {"EUR": "5"}},
    }  # fmt: skip
    assert [(c["rule"], c["reason"], c["invoices"], c["example"]) for c in job["preview_causes"]] == [
        ("BR-CO-15", "invalid", 2, "s-2"), (None, "force_refused", 1, "s-4"), (None, "paused", 1, "s-5"),
    ]  # fmt: skip
    assert [(error["invoice_id"], error["status"]) for error in job["errors"]] == [
        ("s-5", "held"), ("s-4", "failed"), ("s-3", "failed"), ("s-2", "failed"),
    ]  # fmt: skip
    assert (job["errors_total"], job["errors_link"]) == (4, f"/api/v1/jobs/{run}/preview?outcome=would_fail")


async def test_its_invoices_are_read_page_by_page(database: Database) -> None:
    async with await RealWorld(database).signed_in() as http:
        run = await order(http)
        await judged(database, run)
        found: list[Any] = []
        query: dict[str, Any] = {"limit": 3}
        while query:
            page = await data(http, f"/{run}/preview", **query)
            found += page["items"]
            query = {"limit": 3, "cursor": page["next_cursor"]} if page["next_cursor"] else {}
        failing = await data(http, f"/{run}/preview", outcome="would_fail")
        wrong = await http.get(f"/api/v1/jobs/{run}/preview", params={"outcome": "known", "cursor": "x"})
    assert [item["invoice_id"] for item in found] == [f"s-{number}" for number in range(8)]
    assert [item["error"] for item in failing["items"]] == [item["error"] for item in ITEMS[2:5]]
    assert (found[0]["amount"], found[6]["twin"]) == ("12", str(UUID(int=7)))
    assert wrong.status_code == 400


async def test_jobs_and_dry_runs_are_two_lists(database: Database) -> None:
    async with await RealWorld(database).signed_in() as http:
        first, second = await order(http), await order(http)
        real = UUID((await http.post(URL, json={})).json()["data"]["job_id"])
        jobs = await data(http, "")
        page = await data(http, "", dry_run=True, limit=1)
        rest = await data(http, "", dry_run=True, limit=1, cursor=page["next_cursor"])
        mixed = await http.get("/api/v1/jobs", params={"cursor": page["next_cursor"]})
        none = await data(http, "", dry_run=True, job_type="scheduled")
    assert [(job["job_id"], job["dry_run"]) for job in jobs["items"]] == [(str(real), False)]
    assert [job["job_id"] for job in page["items"] + rest["items"]] == [str(second), str(first)]
    assert all(job["dry_run"] and job["preview"] for job in page["items"])
    assert (mixed.status_code, none["items"]) == (400, [])


async def test_what_has_expired_is_gone_also_while_its_rows_are_there(database: Database) -> None:
    async with await RealWorld(database).signed_in() as http:
        run = await order(http)
        await database.execute("UPDATE dry_runs SET expires_at = now()")
        answers = [
            await http.get(f"/api/v1/jobs/{run}"),
            await http.get(f"/api/v1/jobs/{run}/preview"),
            await http.get(f"/api/v1/jobs/{run}/events"),
            await http.post(f"/api/v1/jobs/{run}/cancel", json={"reason": "x"}),
        ]
        listed = await data(http, "", dry_run=True)
    assert [answer.status_code for answer in answers] == [404] * 4
    assert listed["items"] == []


async def test_a_dry_run_can_be_cancelled_and_never_retried(database: Database) -> None:
    async with await RealWorld(database).signed_in() as http:
        run = await order(http)
        cancelled = await http.post(f"/api/v1/jobs/{run}/cancel", json={"reason": "wrong month"})
        again = await http.post(f"/api/v1/jobs/{run}/cancel", json={"reason": "wrong month"})
        await judged(database, run)
        await end(database, run)
        over = await http.post(f"/api/v1/jobs/{run}/cancel", json={"reason": "wrong month"})
        retried = await http.post(f"/api/v1/jobs/{run}/retry-failed", json={"reason": "codes corrected"})
    assert [cancelled.status_code, again.status_code, over.status_code] == [202, 202, 409]
    assert (cancelled.json()["data"]["repeated"], again.json()["data"]["repeated"]) == (False, True)
    audited = await database.fetchval("SELECT count(*) FROM audit_logs WHERE action = 'jobs.cancel'")
    assert audited == 1
    assert (retried.status_code, retried.json()["error"]["code"]) == (409, "CONFLICT")
    assert "dry run" in retried.json()["error"]["message"]


async def test_a_real_job_has_no_preview(database: Database) -> None:
    async with await RealWorld(database).signed_in() as http:
        real = (await http.post(URL, json={})).json()["data"]["job_id"]
        job = await data(http, f"/{real}")
        answer = await http.get(f"/api/v1/jobs/{real}/preview")
    assert (job["dry_run"], job["preview"], job["preview_link"], answer.status_code) == (False, None, None, 404)


async def test_it_is_watched_as_a_job_is_until_its_end(database: Database) -> None:
    progress = PostgresProgress(database)
    numbers: list[int] = []

    async def look() -> None:
        reading, _ = await progress.progress(run, [])
        assert reading is not None
        numbers.append(reading.number)

    async with await RealWorld(database).signed_in() as http:
        run = await order(http)
        await look()
        await judged(database, run, [{"outcome": "open", "document": b"x"}])
        await look()
        await database.execute("UPDATE dry_run_items SET outcome = 'would_go', document = NULL")
        await look()
        await end(database, run)
        answer = await http.get(f"/api/v1/jobs/{run}/events")
    assert numbers == sorted(set(numbers))
    assert answer.text.startswith("event: end")
    assert '"stages":{"would_go":1}' in answer.text
