"""The configuration on the real PostgreSQL: value, version and audit entry are one, and services see it."""

import asyncio
from typing import Any

import pytest

from common.db.configuration import LiveConfiguration
from common.db.pool import Database
from common.errors import InfrastructureError
from gateway.adapters.postgres_configuration import PostgresConfiguration
from gateway.domain.access import Caller
from gateway.domain.configuration import Setting
from gateway.domain.users import By
from tests.integration.gateway.world import RealWorld

pytestmark = pytest.mark.stack

PATH = "/api/v1/configuration/send_rate"
CALLER = Caller("192.0.2.7", "test", "follow-me-1")


async def setting(database: Database, value: Any, version: int = 0, key: str = "send_rate") -> bool:
    by = By(await RealWorld(database).admin(), CALLER)
    return await PostgresConfiguration(database).write(Setting(key, value, version, "why"), by)


async def test_a_change_its_version_and_its_audit_entry_are_one(database: Database) -> None:
    http = await RealWorld(database).signed_in()
    body = {"value": 20, "expected_version": 0, "reason": "their release night"}
    data = (await http.put(PATH, json=body)).json()["data"]
    assert (data["value"], data["version"], data["changed_by"]) == (20, 1, "admin")
    row = await database.fetchrow("SELECT * FROM configuration")
    assert row is not None
    assert (row["key"], row["value"], row["is_encrypted"]) == ("send_rate", "20", False)
    entry = await database.fetchrow("SELECT * FROM audit_logs WHERE resource_type = 'configuration'")
    assert entry is not None
    assert (entry["action"], entry["details"]["value"], entry["details"]["reason"]) == (
        "configuration.set", 20, "their release night",
    )  # fmt: skip
    refuse = "ALTER TABLE audit_logs ADD CONSTRAINT full_disk CHECK (action <> 'configuration.set') NOT VALID"
    await database.execute(refuse)
    assert (await http.put(PATH, json=body | {"value": 5, "expected_version": 1})).status_code == 500
    assert (await http.get(PATH)).json()["data"]["value"] == 20
    assert await database.fetchval("SELECT count(*) FROM configuration_versions") == 1


async def test_of_ten_who_change_it_at_once_one_does(database: Database) -> None:
    await RealWorld(database).admin()
    for version in range(5):
        written = await asyncio.gather(*(setting(database, value, version) for value in range(1, 11)))
        assert sum(written) == 1
    assert await database.fetchval("SELECT array_agg(version ORDER BY version) FROM configuration_versions") == [
        1, 2, 3, 4, 5,
    ]  # fmt: skip


async def test_a_version_that_is_not_there_yet_is_no_version(database: Database) -> None:
    assert not await setting(database, 20, 3)
    assert await database.fetchval("SELECT count(*) FROM configuration") == 0


async def test_a_rollback_to_nothing_unsets_it_and_keeps_the_history(database: Database) -> None:
    http = await RealWorld(database).signed_in()
    await setting(database, 20)
    body = {"to_version": 0, "expected_version": 1, "reason": "over"}
    data = (await http.post(f"{PATH}/rollback", json=body)).json()["data"]
    assert (data["value"], data["version"], len(data["history"])) == (None, 2, 2)
    assert await database.fetchval("SELECT count(*) FROM configuration") == 0
    details = await database.fetchval("SELECT details FROM audit_logs WHERE action = 'configuration.roll_back'")
    assert (details["value"], details["back_to"]) == (None, 0)


async def test_its_history_cannot_be_rewritten(database: Database) -> None:
    await setting(database, 20)
    for sql in ("UPDATE configuration_versions SET reason = 'x'", "TRUNCATE configuration_versions"):
        with pytest.raises(InfrastructureError, match="append-only"):
            await database.execute(sql)


async def test_a_service_sees_its_live_keys_and_no_value_that_is_none(database: Database) -> None:
    live = LiveConfiguration(database, "sender", every=0)
    assert await live() == {}
    await setting(database, 20)
    await setting(database, "08:00", key="report_at")
    assert await live() == {"send_rate": 20}
    for text in ("'fast'", "'-1'", "'{}'"):
        await database.execute(f"UPDATE configuration SET value = {text} WHERE key = 'send_rate'")
        assert await live() == {}
    await database.execute("UPDATE configuration SET value = '\"unlimited\"' WHERE key = 'send_rate'")
    assert await live() == {"send_rate": "unlimited"}


async def test_a_service_asks_no_more_often_than_it_has_to(database: Database) -> None:
    live = LiveConfiguration(database, "sender", every=3600)
    assert await live() == {}
    await setting(database, 20)
    assert await live() == {}
