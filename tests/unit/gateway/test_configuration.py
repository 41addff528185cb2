"""The configuration through the API, over fakes."""

from typing import Any

import httpx
import pytest

from gateway.domain.access import Role
from tests.unit.gateway.fakes import World, user

PATH = "/api/v1/configuration"
REASON = "their release night"


def admin(world: World) -> httpx.AsyncClient:
    return world.signed_in(world.users.add(user(Role.ADMIN, name="ann")))


async def put(http: httpx.AsyncClient, key: str, value: Any, version: int = 0, **fields: Any) -> httpx.Response:
    body = {"value": value, "expected_version": version, "reason": REASON} | fields
    return await http.put(f"{PATH}/{key}", json=body)


async def test_a_key_that_nobody_set_says_what_counts_instead() -> None:
    items = (await admin(World()).get(PATH)).json()["data"]["items"]
    (rate,) = [item for item in items if item["key"] == "send_rate"]
    assert (rate["value"], rate["version"], rate["environment"], rate["default"]) == (None, 0, "SEND_RATE", "unlimited")
    assert (rate["live"], rate["minimum"], rate["maximum"], rate["words"]) == (True, 0.01, 10_000, ["unlimited"])


async def test_a_change_says_who_why_and_from_what() -> None:
    http = admin(World())
    await put(http, "send_rate", 20)
    data = (await put(http, "send_rate", "unlimited", 1)).json()["data"]
    assert (data["value"], data["version"], data["changed_by"]) == ("unlimited", 2, "ann")
    assert [(one["version"], one["old_value"], one["new_value"], one["reason"]) for one in data["history"]] == [
        (2, 20, "unlimited", REASON), (1, None, 20, REASON),
    ]  # fmt: skip


async def test_who_comes_second_is_told_how_it_is_now() -> None:
    http = admin(World())
    await put(http, "send_rate", 20)
    late = await put(http, "send_rate", 99)
    assert (late.status_code, late.json()["error"]["details"]) == (409, {"version": 1, "value": 20})


@pytest.mark.parametrize(
    ("key", "value"), [("send_rate", 0), ("send_rate", True), ("send_concurrency", 2.5), ("report_at", "25:00")]
)
async def test_a_value_out_of_its_bounds_is_a_validation_error(key: str, value: Any) -> None:
    world = World()
    answer = await put(admin(world), key, value)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
    assert world.admin.configuration.versions == {}


@pytest.mark.parametrize("body", [{"reason": ""}, {"expected_version": -1}, {"expected_version": "0"}, {"valeu": 1}])
async def test_a_change_that_is_not_whole_is_refused(body: dict[str, Any]) -> None:
    assert (await put(admin(World()), "send_rate", 20, **body)).status_code == 422


async def test_what_needs_a_restart_says_which_variable_to_set() -> None:
    http = admin(World())
    answer = await put(http, "send_lease", 60)
    assert answer.status_code == 409
    assert answer.json()["error"]["details"] == {"environment": "SEND_LEASE", "service": "sender"}
    body = {"to_version": 0, "expected_version": 0, "reason": REASON}
    assert (await http.post(f"{PATH}/send_lease/rollback", json=body)).status_code == 409


async def test_a_rollback_is_a_new_version_with_the_old_value() -> None:
    http = admin(World())
    for version, value in enumerate((20, 30)):
        await put(http, "send_rate", value, version)
    assert await roll_back(http, 1, 2) == (200, 20, 3)
    assert await roll_back(http, 0, 3) == (200, None, 4)
    assert (await roll_back(http, 9, 4))[0] == 404
    assert (await roll_back(http, 1, 3))[0] == 409


async def roll_back(http: httpx.AsyncClient, to: int, version: int) -> tuple[int, Any, Any]:
    body = {"to_version": to, "expected_version": version, "reason": REASON}
    answer = await http.post(f"{PATH}/send_rate/rollback", json=body)
    data = answer.json().get("data") or {}
    return answer.status_code, data.get("value"), data.get("version")


async def test_a_key_that_there_is_not_is_not_found() -> None:
    http = admin(World())
    assert [(await http.get(f"{PATH}/{key}")).status_code for key in ("send_rate", "database_url")] == [200, 404]


async def test_nobody_below_an_admin_sees_or_changes_it() -> None:
    world = World()
    http = world.signed_in(world.users.add(user(Role.OPERATOR)))
    assert [(await http.get(PATH)).status_code, (await put(http, "send_rate", 20)).status_code] == [403, 403]
