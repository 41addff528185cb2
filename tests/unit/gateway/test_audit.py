"""The audit log through the API, over fakes."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from gateway.domain.access import Role
from gateway.domain.audit import AuditEntry
from tests.unit.gateway.fakes import NOON, World, user

PATH = "/api/v1/audit"


def entry(minutes: int, **given: Any) -> AuditEntry:
    fields: dict[str, Any] = dict.fromkeys(AuditEntry.__dataclass_fields__)
    usual: dict[str, Any] = {
        "id": uuid4(),
        "at": NOON + timedelta(minutes=minutes),
        "action": "users.change",
        "resource_type": "user",
    }
    return AuditEntry(**fields | usual | given)


def reader(world: World) -> httpx.AsyncClient:
    return world.signed_in(world.users.add(user(Role.ADMIN)))


async def test_pages_go_back_in_time_and_belong_to_their_filter() -> None:
    world = World()
    world.admin.audit.rows = [entry(minutes // 2) for minutes in range(7)]
    http, query, found = reader(world), {"limit": "2"}, list[str]()
    while True:
        page = (await http.get(PATH, params=query)).json()["data"]
        found += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
        assert (await http.get(PATH, params=query | {"actor": "ann"})).json()["error"]["code"] == "CURSOR_INVALID"
    newest_first = sorted(world.admin.audit.rows, key=lambda row: (row.at, row.id), reverse=True)
    assert found == [str(row.id) for row in newest_first]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"actor": "ann"}, 1), ({"action": "auth.login"}, 1), ({"resource_type": "switch"}, 1), ({}, 3),
        ({"since": "2026-11-24T12:01:00Z"}, 2), ({"until": "2026-11-24T12:01:00Z"}, 1), ({"actor": "nobody"}, 0),
    ],
)  # fmt: skip
async def test_each_filter_chooses(query: dict[str, str], count: int) -> None:
    world = World()
    world.admin.audit.rows = [entry(0, username="ann"), entry(1, action="auth.login"), entry(2, resource_type="switch")]
    assert len((await reader(world).get(PATH, params=query)).json()["data"]["items"]) == count


@pytest.mark.parametrize("query", [{"since": "2026-11-24T12:00:00"}, {"actr": "ann"}, {"limit": "201"}])
async def test_a_filter_that_says_nothing_clear_is_refused(query: dict[str, str]) -> None:
    assert (await reader(World()).get(PATH, params=query)).status_code == 422


async def test_nobody_below_an_admin_reads_it() -> None:
    world = World()
    assert (await world.signed_in(world.users.add(user(Role.OPERATOR))).get(PATH)).status_code == 403
