"""Pausing and resuming, on the real PostgreSQL: switch, alert and audit entry are one."""

import asyncio
from typing import Any

import pytest

from common.db.pool import Database
from tests.integration.gateway.world import ADMIN, RealWorld

pytestmark = pytest.mark.stack

PATH = "/api/v1/switches"


async def flip(world: RealWorld, what: str, **body: Any) -> dict[str, Any]:
    answer = await (await world.signed_in()).post(f"{PATH}/{what}", json={"service": "sender", "reason": "why"} | body)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def test_a_pause_is_audited_and_told_until_it_ends(database: Database) -> None:
    world = RealWorld(database)
    await flip(world, "pause", administration="0123456749")
    alert = await database.fetchrow("SELECT * FROM alerts")
    assert alert is not None
    assert (alert["kind"], alert["subject"], alert["severity"]) == ("paused", "sender 0123456749", "warning")
    assert alert["details"] == {"reason": "why", "actor": ADMIN}
    await flip(world, "resume", administration="0123456749", reason="done")
    entries = await database.fetch("SELECT action, details FROM audit_logs WHERE resource_type = 'switch' ORDER BY 1")
    assert [(entry["action"], entry["details"]["reason"]) for entry in entries] == [
        ("switches.pause", "why"), ("switches.resume", "done"),
    ]  # fmt: skip
    assert {entry["details"]["administration"] for entry in entries} == {"0123456749"}
    assert await database.fetchval("SELECT count(*) FROM alerts WHERE closed_at IS NULL") == 0


async def test_ten_pauses_at_once_are_one(database: Database) -> None:
    world = RealWorld(database)
    await world.admin()
    answers = await asyncio.gather(*(flip(world, "pause") for _ in range(10)))
    assert sum(answer["changed"] for answer in answers) == 1
    assert await database.fetchval("SELECT count(*) FROM audit_logs WHERE action = 'switches.pause'") == 1


async def test_a_pause_that_cannot_be_audited_is_none(database: Database) -> None:
    world = RealWorld(database)
    http = await world.signed_in()
    await database.execute("ALTER TABLE audit_logs ADD CONSTRAINT full_disk CHECK (action <> 'switches.pause')")
    assert (await http.post(f"{PATH}/pause", json={"service": "sender", "reason": "why"})).status_code == 500
    assert (await http.get(PATH)).json()["data"]["items"] == []
    assert await database.fetchval("SELECT count(*) FROM alerts") == 0
