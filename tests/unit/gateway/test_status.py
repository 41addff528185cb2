"""How the whole system is, through the API over fakes; and how a night is said."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from common.contracts.topics import Group, Topic
from gateway.administering import LIMITS
from gateway.domain.access import Role
from gateway.domain.configuration import Setting
from gateway.domain.status import Breaker, NightJob, ServiceSign, sentence
from gateway.domain.users import By
from tests.architecture.source import ROOT
from tests.unit.gateway.contract import CALLER
from tests.unit.gateway.fakes import NOON, World, user

PATH = "/api/v1/system/status"
UP, DOWN = ServiceSign("sender", "up", 2, NOON), ServiceSign("sender", "down", 0, None)
OPEN = Breaker("https://destination.test", True, "could not connect", NOON, NOON, None)


async def status(world: World) -> dict[str, Any]:
    answer = await world.signed_in(world.users.add(user(Role.OPERATOR))).get(PATH)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def silence() -> bool:
    raise TimeoutError


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "ok"),
        ({"found": [DOWN]}, "degraded"),
        ({"opened": [OPEN]}, "degraded"),
        ({"checks": {"kafka": no}}, "degraded"),
        ({"checks": {"kafka": silence}}, "degraded"),
    ],
)
async def test_whatever_is_down_or_open_degrades_it(change: dict[str, Any], state: str) -> None:
    world = World()
    world.admin.status.found, world.admin.status.checks = [UP], {"kafka": yes}
    for name, value in change.items():
        setattr(world.admin.status, name, value)
    assert (await status(world))["state"] == state


async def test_lag_is_told_for_each_group_and_is_unknown_without_the_broker() -> None:
    world = World()
    assert {one["records"] for one in (await status(world))["lag"]} == {None}
    world.admin.status.behind = {(Group.SENDER, Topic.INVOICES_VALIDATED): 7}
    lag = (await status(world))["lag"]
    assert {(one["group"], one["topic"]): one["records"] for one in lag}["sender", "invoices.validated.v1"] == 7
    assert {one["group"] for one in lag} == set(Group)


async def test_many_who_ask_at_once_cost_one_question() -> None:
    world = World()
    http = world.signed_in(world.users.add(user(Role.OPERATOR)))
    answers = await asyncio.gather(*(http.get(PATH) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert world.admin.status.asked == 1


NUMBERS = {"total_invoices": 20, "processed": 15, "duplicates": 2, "failed": 2, "held": 1, "open": 4}
SAID = "20 found, 15 sent, 2 duplicates, 2 failed, 1 held"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"status": "completed", "completed_at": NOON + timedelta(minutes=12)}, f"completed in 12 min: {SAID}."),
        ({"status": "completed", "completed_at": NOON}, f"completed in under a minute: {SAID}."),
        ({"status": "running"}, f"is still running: {SAID}, 4 open."),
        ({"status": "failed", "error": "no answer"}, f"failed: no answer; {SAID}."),
        ({"status": "pending"}, "waits to be taken up."),
    ],
)
def test_a_night_is_one_sentence(given: dict[str, Any], said: str) -> None:
    fields: dict[str, Any] = {
        "created_at": NOON, "started_at": NOON, "completed_at": None, "results": NUMBERS, "error": None
    }  # fmt: skip
    assert sentence(NightJob(**fields | given)) == f"The job of 2026-11-24 12:00 UTC {said}"


def test_before_the_first_night_it_says_so() -> None:
    assert sentence(None) == "No scheduled job has run yet."


async def test_an_interface_is_told_the_parts_limits_and_the_notice() -> None:
    world = World()
    http = world.signed_in(world.users.add(user(Role.USER)))
    first = (await http.get("/api/v1/ui-config")).json()["data"]
    assert (first["environment"], first["limits"], first["notice"]) == ("local", {"page_size": 200}, None)
    assert {"jobs", "users", "configuration"} <= set(first["features"])
    by = By(user(Role.ADMIN), CALLER)
    await world.admin.configuration.write(Setting("ui_notice", "closed on Friday", 0, "why"), by)
    assert (await http.get("/api/v1/ui-config")).json()["data"]["notice"] == "closed on Friday"


def test_its_limits_are_those_of_the_description() -> None:
    document = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
    ids = document["components"]["schemas"]["ProcessRequest"]["properties"]["invoice_ids"]
    assert LIMITS["invoice_ids"] in {one.get("maxItems") for one in ids["anyOf"]}
    (limit,) = [one for one in document["paths"]["/api/v1/jobs"]["get"]["parameters"] if one.get("name") == "limit"]
    assert limit["schema"]["maximum"] == LIMITS["page_size"]
