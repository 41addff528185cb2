"""Alerts, what waits where, versions and settings."""

from datetime import timedelta

from gateway.domain.access import Role
from gateway.domain.operations import StageCount
from tests.unit.gateway.fakes import NOON, World, user
from tests.unit.gateway.fakes_operations import alert


async def test_what_is_open_is_listed_and_what_is_over_only_where_it_is_asked_for() -> None:
    world = World()
    over = alert(closed_at=NOON + timedelta(minutes=1), subject="over")
    world.operations.rows = [alert(subject="open"), over]
    http = world.signed_in(world.users.add(user(Role.USER)))
    for query, subjects in (({}, {"open"}), ({"state": "closed"}, {"over"}), ({"state": "all"}, {"open", "over"})):
        items = (await http.get("/api/v1/alerts", params=query)).json()["data"]["items"]
        assert {item["subject"] for item in items} == subjects


async def test_pages_of_alerts_are_bound_to_their_state() -> None:
    world = World()
    world.operations.rows = [alert() for _ in range(3)]
    http = world.signed_in()
    first = (await http.get("/api/v1/alerts", params={"limit": 2})).json()["data"]
    cursor = first["next_cursor"]
    rest = (await http.get("/api/v1/alerts", params={"limit": 2, "cursor": cursor})).json()["data"]
    assert [len(first["items"]), len(rest["items"]), rest["next_cursor"]] == [2, 1, None]
    strange = await http.get("/api/v1/alerts", params={"state": "all", "cursor": cursor})
    assert strange.json()["error"]["code"] == "CURSOR_INVALID"


async def test_an_alert_that_tells_of_something_past_is_closed_by_a_person_with_a_reason() -> None:
    world = World()
    row = alert()
    world.operations.rows = [row]
    http = world.signed_in()
    path = f"/api/v1/alerts/{row.id}/close"
    assert (await http.post(path, json={})).status_code == 422
    answer = await http.post(path, json={"reason": "the second one was deleted there"})
    assert answer.json()["data"]["closed_at"] is not None
    assert world.operations.closed[0].reason == "the second one was deleted there"


async def test_an_alert_whose_cause_goes_on_is_not_closed_by_hand() -> None:
    world = World()
    row = alert(kind="breaker_open")
    world.operations.rows = [row]
    answer = await world.signed_in().post(f"/api/v1/alerts/{row.id}/close", json={"reason": "too loud"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")


async def test_operators_see_what_waits_and_versions_and_settings() -> None:
    world = World()
    world.operations.counts = [StageCount("validated", None, 7, False, NOON, 60)]
    world.operations.settings = {"LOG_LEVEL": "info"}
    http = world.signed_in(world.users.add(user(Role.OPERATOR)))
    [count] = (await http.get("/api/v1/system/stages")).json()["data"]["items"]
    assert (count["stage"], count["count"], count["oldest_seconds"]) == ("validated", 7, 60)
    told = (await http.get("/api/v1/system/settings")).json()["data"]
    assert told["versions"] == {"python": "3.11", "postgresql": "18.0"}
    assert told["settings"] == {"LOG_LEVEL": "info"}


async def test_an_operator_may_ask_for_a_person_in_the_kinds_that_nothing_else_tells_of() -> None:
    world = World()
    body = {"kind": "preflight", "subject": "source", "details": {"why": "answered 401", "do": "renew SOURCE_TOKEN"}}
    http = world.signed_in(world.users.add(user(Role.OPERATOR)))
    assert (await http.post("/api/v1/alerts", json=body)).json()["data"]["closed_by_people"] is True
    assert (await http.post("/api/v1/alerts", json={**body, "kind": "amnesia"})).status_code == 422
    reader = world.signed_in(world.users.add(user(Role.USER)))
    assert (await reader.post("/api/v1/alerts", json=body)).status_code == 403
