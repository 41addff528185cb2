"""Alerts and counts on the real PostgreSQL."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.db.alerts import close_alert, open_alert
from common.db.pool import Database
from tests.integration.gateway.world import RealWorld, insert_invoice

pytestmark = pytest.mark.stack


async def opened(database: Database, kind: str, subject: str) -> UUID:
    async with database.connection() as connection:
        await open_alert(connection, kind, subject, "critical", {"why": "test"})
    found: UUID = await database.fetchval("SELECT id FROM alerts WHERE kind = $1 AND subject = $2", kind, subject)
    return found


async def listed(world: RealWorld, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = await (await world.signed_in()).get(path, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["data"]["items"]
    return items


async def test_alerts_are_listed_newest_first_and_by_state(database: Database) -> None:
    world = RealWorld(database)
    first, second = [await opened(database, "amnesia", subject) for subject in ("one", "two")]
    async with database.connection() as connection:
        await close_alert(connection, "amnesia", "one")
    assert [item["id"] for item in await listed(world, "/api/v1/alerts", state="all")] == [str(second), str(first)]
    assert [item["id"] for item in await listed(world, "/api/v1/alerts")] == [str(second)]
    [over] = await listed(world, "/api/v1/alerts", state="closed")
    assert (over["id"], over["details"], over["closed_by_people"]) == (str(first), {"why": "test"}, False)


async def test_closing_is_audited_and_happens_once(database: Database) -> None:
    world = RealWorld(database)
    row = await opened(database, "duplicate_suspected", str(uuid4()))
    http = await world.signed_in()
    answers = [await http.post(f"/api/v1/alerts/{row}/close", json={"reason": "dealt with"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[0].json()["data"]["closed_at"] is not None
    entry = await database.fetchrow("SELECT * FROM audit_logs WHERE action = 'alerts.close'")
    assert entry is not None
    assert (entry["resource_id"], entry["details"]["reason"]) == (row, "dealt with")
    unknown = await http.post(f"/api/v1/alerts/{uuid4()}/close", json={"reason": "x"})
    assert unknown.status_code == 404


REPORT = {"kind": "night_missing", "subject": "daily:2026-11-24", "severity": "critical", "details": {"why": "killed"}}


async def test_what_is_reported_is_open_once_whoever_reports_it_and_audited_once(database: Database) -> None:
    http = await RealWorld(database).signed_in()
    answers = await asyncio.gather(*(http.post("/api/v1/alerts", json=REPORT) for _ in range(5)))
    (first,) = {answer.json()["data"]["id"] for answer in answers}
    assert await database.fetchval("SELECT count(*) FROM audit_logs WHERE action = 'alerts.open'") == 1
    closed = await http.post(f"/api/v1/alerts/{first}/close", json={"reason": "a job has finished"})
    assert closed.json()["data"]["closed_at"] is not None
    again = (await http.post("/api/v1/alerts", json=REPORT)).json()["data"]
    assert (again["id"] != first, again["details"], again["severity"]) == (True, {"why": "killed"}, "critical")


async def test_what_people_were_told_of_a_job_is_listed_oldest_first(database: Database) -> None:
    job, http = uuid4(), await RealWorld(database).signed_in()
    await database.execute(
        """INSERT INTO notifications (channel, kind, subject, window_key, status, sent_at, created_at)
           VALUES ('slack', 'job_finished', $1, '', 'sent', now(), now()),
               ('slack', 'job_still_open', $1, '', 'sent', now(), now() - interval '1 hour'),
               ('slack', 'job_finished', 'another', '', 'waiting', NULL, now())""",
        str(job),
    )
    items = (await http.get(f"/api/v1/jobs/{job}/notifications")).json()["data"]["items"]
    assert [(one["kind"], one["status"], one["error"]) for one in items] == [
        ("job_still_open", "sent", None),
        ("job_finished", "sent", None),
    ]


async def test_an_alert_with_a_cause_that_goes_on_stays_open(database: Database) -> None:
    row = await opened(database, "amnesia", "postgres")
    http = await RealWorld(database).signed_in()
    assert (await http.post(f"/api/v1/alerts/{row}/close", json={"reason": "x"})).status_code == 409
    assert await database.fetchval("SELECT closed_at IS NULL FROM alerts")


async def test_what_waits_is_counted_by_stage_and_reason_and_what_is_over_is_not(database: Database) -> None:
    for stage, status, reason, number in (
        ("validated", "pending", None, 3),
        ("held", "held", "unknown_outcome", 2),
        ("failed", "failed", "invalid", 1),
        ("sent", "sent", None, 1),
    ):
        for _ in range(number):
            await insert_invoice(database, stage=stage, status=status, reason=reason)
    counts = await listed(RealWorld(database), "/api/v1/system/stages")
    assert [(count["stage"], count["reason"], count["count"], count["at_least"]) for count in counts] == [
        ("held", "unknown_outcome", 2, False),
        ("validated", None, 3, False),
        ("failed", None, 1, False),
    ]


async def test_versions_name_the_database_and_its_schema(database: Database) -> None:
    answer = await (await RealWorld(database).signed_in()).get("/api/v1/system/settings")
    versions = answer.json()["data"]["versions"]
    assert versions["postgresql"].startswith("18")
    assert versions["schema"] == await database.fetchval("SELECT version_num FROM alembic_version")
    assert {"python", "clearfacts-gateway", "asyncpg"} <= set(versions)
