"""Pausing and resuming through the API."""

from typing import Any

import pytest

from gateway.domain.access import Role
from tests.unit.gateway.fakes import World, user

PATH = "/api/v1/switches"
SENDER = {"service": "sender", "reason": "their release night"}


async def flip(world: World, what: str, **body: Any) -> dict[str, Any]:
    answer = await world.signed_in(world.users.add(user(name="ann"))).post(f"{PATH}/{what}", json=SENDER | body)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def test_a_pause_says_who_and_why() -> None:
    data = await flip(World(), "pause")
    (item,) = data["items"]
    assert data["changed"] is True
    assert (item["service"], item["administration"], item["reason"], item["actor"]) == (
        "sender", None, "their release night", "ann",
    )  # fmt: skip


async def test_pausing_twice_changes_nothing_and_keeps_the_first_reason() -> None:
    world = World()
    await flip(world, "pause")
    data = await flip(world, "pause", reason="another")
    assert (data["changed"], data["items"][0]["reason"]) == (False, "their release night")
    assert len(world.switches.flips) == 1


async def test_one_administration_and_all_are_switches_apart() -> None:
    world = World()
    await flip(world, "pause")
    await flip(world, "pause", administration="0123456749")
    data = await flip(world, "resume")
    assert [item["administration"] for item in data["items"]] == ["0123456749"]
    data = await flip(world, "resume", administration="0123456749")
    assert (data["changed"], data["items"]) == (True, [])


async def test_resuming_what_is_not_paused_changes_nothing() -> None:
    assert await flip(World(), "resume") == {"changed": False, "items": []}


@pytest.mark.parametrize(
    "body",
    [
        {"service": "sender"},
        SENDER | {"reason": ""},
        SENDER | {"service": "gateway"},
        SENDER | {"administration": "BE 0123.456.749"},
        SENDER | {"administration": "*"},
        SENDER | {"administation": "0123456749"},
    ],
)
async def test_what_is_not_whole_is_refused(body: dict[str, Any]) -> None:
    world = World()
    assert (await world.signed_in().post(f"{PATH}/pause", json=body)).status_code == 422
    assert world.switches.flips == []


@pytest.mark.parametrize(("role", "status"), [(Role.USER, 403), (Role.OPERATOR, 200), (Role.ADMIN, 200)])
async def test_operators_may_flip_and_everybody_may_look(role: Role, status: int) -> None:
    world = World()
    http = world.signed_in(world.users.add(user(role)))
    assert (await http.post(f"{PATH}/pause", json=SENDER)).status_code == status
    assert (await http.get(PATH)).status_code == 200
