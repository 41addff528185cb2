"""What a job tells of itself: its errors, and when it will be done."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from tests.integration.gateway.replays_world import insert_failed
from tests.integration.gateway.world import RealWorld, insert_invoice, insert_job

pytestmark = pytest.mark.stack

SOURCE_IDS = [f"SRC-{number}" for number in range(30)]


async def detail(database: Database, job: UUID) -> dict[str, Any]:
    answer = await (await RealWorld(database).signed_in()).get(f"/api/v1/jobs/{job}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


async def completed(database: Database, *, invoices: int, seconds: float) -> None:
    now = SYSTEM_CLOCK.now()
    await insert_job(
        database,
        status="completed",
        created_at=now,
        started_at=now - timedelta(seconds=seconds),
        completed_at=now,
        results={"total_invoices": invoices},
    )


async def ordered(database: Database, **body: Any) -> float:
    """The seconds that the answer promises."""
    now = SYSTEM_CLOCK.now()
    answer = await (await RealWorld(database).signed_in()).post("/api/v1/invoices/process", json=body)
    ends = datetime.fromisoformat(answer.json()["data"]["estimated_completion"])
    return (ends - now).total_seconds()


async def test_a_job_tells_a_hundred_errors_how_many_there_are_and_where(database: Database) -> None:
    job = await insert_job(database, status="completed")
    for number in range(102):
        await insert_failed(database, job_id=job, dossier=None, updated_at=SYSTEM_CLOCK.now(), number=str(number))
    await insert_failed(database, job_id=job, dossier=None, archived_at=SYSTEM_CLOCK.now())
    await insert_invoice(database, job_id=job, status="held", stage="held")
    await insert_failed(database, job_id=await insert_job(database), dossier=None)
    found = await detail(database, job)
    assert (len(found["errors"]), found["errors_total"]) == (100, 104)
    http = await RealWorld(database).signed_in()
    failed, held = [(await http.get(found[link])).json()["data"]["items"] for link in ("errors_link", "held_link")]
    assert {item["status"] for item in failed} == {"failed"}
    assert [item["status"] for item in held] == ["held"]
    assert {item["job_id"] for item in (*failed, *held)} == {str(job)}


async def test_a_job_without_errors_links_to_none(database: Database) -> None:
    found = await detail(database, await insert_job(database, status="completed"))
    assert (found["errors"], found["errors_total"], found["errors_link"], found["held_link"]) == ([], 0, None, None)


async def test_the_estimate_is_measured_on_the_latest_completed_jobs(database: Database) -> None:
    await completed(database, invoices=1000, seconds=100)
    await completed(database, invoices=0, seconds=500)
    await completed(database, invoices=200, seconds=20)
    assert await ordered(database) == pytest.approx(60, abs=5)
    assert await ordered(database, invoice_ids=SOURCE_IDS) == pytest.approx(20, abs=5)


async def test_the_default_stays_while_nothing_was_measured(database: Database) -> None:
    await completed(database, invoices=0, seconds=500)
    await completed(database, invoices=10, seconds=0)
    await insert_job(database, status="completed", results=None, started_at=SYSTEM_CLOCK.now())
    assert await ordered(database) == pytest.approx(300, abs=5)


async def test_a_running_job_tells_when_the_rest_will_be_done(database: Database) -> None:
    now = SYSTEM_CLOCK.now()
    job = await insert_job(
        database,
        started_at=now - timedelta(seconds=60),
        listed_at=now,
        results={"total_invoices": 900, "processed": 600, "open": 300},
    )
    ends = datetime.fromisoformat((await detail(database, job))["estimated_completion"])
    assert (ends - now).total_seconds() == pytest.approx(30, abs=5)


async def test_without_a_measure_or_once_it_has_ended_a_job_promises_nothing(database: Database) -> None:
    for status in ("running", "completed"):
        job = await insert_job(database, status=status, started_at=SYSTEM_CLOCK.now())
        assert (await detail(database, job))["estimated_completion"] is None


async def test_a_job_that_waits_repeats_what_was_promised(database: Database) -> None:
    http = await RealWorld(database).signed_in()
    promised = (await http.post("/api/v1/invoices/process", json={})).json()["data"]
    found = await detail(database, UUID(promised["job_id"]))
    assert found["estimated_completion"] == promised["estimated_completion"]
