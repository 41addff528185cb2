"""The audit log on the real PostgreSQL."""

from typing import Any

import httpx
import pytest

from common.db.pool import Database
from tests.integration.gateway.world import ADMIN, RealWorld

pytestmark = pytest.mark.stack

PATH = "/api/v1/audit"


async def seen(http: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        answer = await http.get(PATH, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()["data"]
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


async def test_what_was_done_is_found_by_who_what_and_when(database: Database) -> None:
    world = RealWorld(database)
    http = await world.signed_in()
    for what in ("pause", "resume"):
        await http.post(f"/api/v1/switches/{what}", json={"service": "sender", "reason": "why"})
    assert [entry["action"] for entry in await seen(http)] == ["switches.resume", "switches.pause", "users.bootstrap"]
    (entry,) = await seen(http, actor=ADMIN, action="switches.pause", resource_type="switch")
    assert (entry["username"], entry["ip_address"], entry["details"]["reason"]) == (ADMIN, "192.0.2.7", "why")
    after = await seen(http, since=entry["at"], limit=1)
    assert [one["action"] for one in after] == ["switches.resume", "switches.pause"]
    assert [one["action"] for one in await seen(http, until=entry["at"])] == ["users.bootstrap"]
    assert await seen(http, actor="nobody") == []
    user_id = (await world.admin()).id
    assert [one["action"] for one in await seen(http, resource_id=str(user_id))] == ["users.bootstrap"]


async def test_entries_of_one_moment_are_all_seen_once_over_pages(database: Database) -> None:
    http = await RealWorld(database).signed_in()
    await database.execute(
        "INSERT INTO audit_logs (action, resource_type) SELECT 'many', 'test' FROM generate_series(1, 23)"
    )
    found = [entry["id"] for entry in await seen(http, action="many", limit=5)]
    assert (len(found), len(set(found))) == (23, 23)
