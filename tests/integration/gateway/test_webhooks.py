"""Webhooks over the API on a real PostgreSQL: registered, rotated, disabled, looked at, told again."""

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from common.contracts.webhooks import secret_of, shown
from common.db.alerts import open_alert
from common.db.pool import Database
from common.db.webhooks import deliver_invoices
from tests.integration.gateway.world import RealWorld, insert_invoice
from tests.unit.gateway.fakes_webhooks import SIGNING_KEY

pytestmark = pytest.mark.stack

PATH = "/api/v1/webhooks"
URL = "https://hooks.example.com/in?token=part-of-the-address"
WHY = {"reason": "maintenance"}


class Admin:
    """An admin's calls on one world."""

    def __init__(self, http: httpx.AsyncClient, database: Database) -> None:
        self.http = http
        self.database = database

    async def post(self, path: str, body: Any = None, *, key: str | None = None, status: int = 202) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.http.post(f"{PATH}{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json().get("data")

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.http.get(f"{PATH}{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def register(self, *, key: str | None = None, status: int = 201, **given: Any) -> Any:
        body = {"url": URL, "events": ["invoice.sent", "invoice.failed"], "description": "ERP"} | given
        return await self.post("", body, key=key, status=status)

    async def outcome(self, stage: str, ago: timedelta = timedelta(0)) -> UUID:
        """A row with one outcome."""
        at = datetime.now(UTC) - ago  # noqa: TID251 - as the database's own
        row = await insert_invoice(self.database, stage=stage, status=stage, processed_at=at, version=2)
        await self.database.execute(
            "INSERT INTO invoice_events (invoice_id, version, at, stage, actor) VALUES ($1, 2, $2, $3, 'test')",
            row, at, stage,
        )  # fmt: skip
        return row

    async def collected(self, *rows: UUID, status: str = "failed") -> None:
        """The notifier made their deliveries, and that became of them."""
        async with self.database.connection() as connection:
            await deliver_invoices(connection, rows)
        await self.database.execute(
            "UPDATE webhook_deliveries SET status = $1, wake_at = NULL, finished_at = now()", status
        )


@pytest.fixture
async def admin(database: Database) -> AsyncGenerator[Admin]:
    async with await RealWorld(database).signed_in() as http:
        yield Admin(http, database)


async def test_the_secret_is_shown_once_and_stored_nowhere(admin: Admin, database: Database) -> None:
    made = await admin.register(key="k")
    row = made["endpoint"]
    assert made["secret"] == shown(secret_of(SIGNING_KEY, UUID(row["id"]), 1))
    again = await admin.register(key="k")
    assert (again["endpoint"]["id"], again["secret"]) == (row["id"], None)
    await admin.register(key="k", description="other words", status=422)
    everything = json.dumps(
        [
            [str(dict(found)) for found in await database.fetch(f"SELECT * FROM {table}")]
            for table in ("webhook_endpoints", "webhook_requests", "audit_logs")
        ]
    )
    assert made["secret"].removeprefix("whsec_") not in everything
    assert "part-of-the-address" not in str(await database.fetch("SELECT details FROM audit_logs"))
    assert (await admin.get(""))["items"] == [await admin.get(f"/{row['id']}")]


INSIDE = (
    "http://hooks.example.com/",
    "https://a:b@hooks.example.com/",
    "https://10.0.0.7/",
    "https://[::ffff:169.254.169.254]/latest",
    "https://localhost/",
    "https://x.example/#f",
)


async def test_an_address_that_leads_inside_is_not_registered(admin: Admin) -> None:
    for url in INSIDE:
        await admin.register(url=url, status=422)


async def test_rotating_gives_another_secret_and_an_overlap(admin: Admin) -> None:
    made = await admin.register()
    one = made["endpoint"]["id"]
    turned = await admin.post(f"/{one}/rotate", {"overlap_seconds": 60, "reason": "yearly"}, key="r", status=200)
    assert turned["secret"] == shown(secret_of(SIGNING_KEY, UUID(one), 2)) != made["secret"]
    assert turned["endpoint"]["previous_secret_until"]
    assert (await admin.post(f"/{one}/rotate", {"overlap_seconds": 60, "reason": "yearly"}, key="r", status=200))[
        "secret"
    ] is None


async def test_disabling_enabling_and_removing(admin: Admin, database: Database) -> None:
    one = (await admin.register())["endpoint"]["id"]
    disabled = await admin.post(f"/{one}/disable", WHY, status=200)
    assert (disabled["state"], disabled["why"]) == ("disabled", "by_admin")
    row = await admin.outcome("sent")
    async with database.connection() as connection:
        assert await deliver_invoices(connection, [row]) == 0
    assert (await admin.post(f"/{one}/enable", WHY, status=200))["state"] == "active"
    async with database.connection() as connection:
        assert await deliver_invoices(connection, [row, await admin.outcome("sent")]) == 1
    await admin.post(f"/{one}/remove", WHY, status=200)
    assert (await admin.get(""))["items"] == []
    await admin.post(f"/{one}/enable", WHY, status=404)
    actions = await database.fetch("SELECT action FROM audit_logs WHERE resource_type = 'webhook' ORDER BY created_at")
    assert [found["action"].split(".")[1] for found in actions] == ["create", "disable", "enable", "remove"]


async def test_enabling_what_was_paused_closes_its_alert_and_keeps_what_was_collected(
    admin: Admin, database: Database
) -> None:
    one = (await admin.register())["endpoint"]["id"]
    await database.execute(
        "INSERT INTO webhook_health (endpoint_id, stopped_at, why) VALUES ($1, now(), 'failing')", UUID(one)
    )
    async with database.connection() as connection:
        await open_alert(connection, "webhook_stopped", one, "warning")
        assert await deliver_invoices(connection, [await admin.outcome("sent")]) == 1
    paused = await admin.get(f"/{one}")
    assert (paused["state"], paused["why"], paused["waiting"]) == ("paused", "failing", 1)
    enabled = await admin.post(f"/{one}/enable", WHY, status=200)
    assert (enabled["state"], enabled["waiting"]) == ("active", 1)
    assert await database.fetchval("SELECT closed_at FROM alerts WHERE kind = 'webhook_stopped'")


async def test_the_log_is_listed_by_filters_and_pages(admin: Admin) -> None:
    one = (await admin.register())["endpoint"]["id"]
    await admin.collected(*[await admin.outcome("sent") for _ in range(3)])
    await admin.post(f"/{one}/ping")
    first = await admin.get(f"/{one}/deliveries", status="failed", limit=2)
    rest = await admin.get(f"/{one}/deliveries", status="failed", limit=2, cursor=first["next_cursor"])
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (2, 1, None)
    detail = await admin.get(f"/{one}/deliveries/{first['items'][0]['id']}")
    assert json.loads(detail["body"])["type"] == "invoice.sent"
    assert [item["type"] for item in (await admin.get(f"/{one}/deliveries", type="webhook.ping"))["items"]]


async def test_one_delivery_goes_again_unless_it_waits(admin: Admin) -> None:
    one = (await admin.register())["endpoint"]["id"]
    await admin.collected(await admin.outcome("sent"), status="delivered")
    [row] = (await admin.get(f"/{one}/deliveries"))["items"]
    again = await admin.post(f"/{one}/deliveries/{row['id']}/replay")
    assert (again["delivery"]["status"], again["delivery"]["event_id"]) == ("waiting", row["event_id"])
    await admin.post(f"/{one}/deliveries/{row['id']}/replay", status=409)


async def test_a_window_brings_what_failed_and_what_was_never_made(admin: Admin) -> None:
    hour = timedelta(hours=1)
    await admin.outcome("sent", 5 * hour)  # before the window
    old, never = (
        [await admin.outcome("sent", hour * 2), await admin.outcome("sent", hour * 2)],
        await admin.outcome("failed", hour),
    )
    await admin.outcome("held", hour)  # not asked for
    one = (await admin.register())["endpoint"]["id"]
    await admin.database.execute("UPDATE webhook_endpoints SET since = now() - interval '1 day'")
    await admin.collected(old[0], status="delivered")
    since = (datetime.now(UTC) - 3 * hour).isoformat()  # noqa: TID251 - as the database's own
    assert await admin.post(f"/{one}/replay", {"since": since}, key="w") == {"queued": 2, "more": False}
    assert await admin.post(f"/{one}/replay", {"since": since}, key="w") == {"queued": 2, "more": False}
    assert (await admin.post(f"/{one}/replay", {"since": since}))["queued"] == 0
    assert (await admin.post(f"/{one}/replay", {"since": since, "also_delivered": True}))["queued"] == 1
    listed = {item["invoice_id"] for item in (await admin.get(f"/{one}/deliveries", status="waiting"))["items"]}
    assert listed == {str(row) for row in (*old, never)}
    await admin.post(f"/{one}/replay", {"since": "2020-01-01T00:00:00Z"}, status=422)
    await admin.post(f"/{one}/disable", WHY, status=200)
    await admin.post(f"/{one}/replay", {"since": since}, status=409)
