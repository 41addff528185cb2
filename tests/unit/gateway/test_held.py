"""Held invoices: what may be decided when, and what a decision does."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.invoice.stage import Reason, Stage
from gateway.domain.access import Role
from gateway.domain.held import Evidence, HeldDetail, Resolution, choices, objection
from tests.unit.gateway.fakes import NOON, World, user
from tests.unit.gateway.fakes_held import SETTLE, held

ROW = uuid4()
LEASE_ENDED = NOON - SETTLE


def evidence(**given: Any) -> Evidence:
    """Of a row whose outcome is unknown, which holds its key, and which can no more arrive."""
    usual: dict[str, Any] = {
        "at": NOON,
        "maybe_sent": True,
        "holder": ROW,
        "last_lease": LEASE_ENDED,
        "accepted": None,
    }
    return Evidence(**usual | given)


def why_not(resolution: Resolution, **given: Any) -> str | None:
    no = objection(resolution, evidence(**given), ROW, settle=SETTLE)
    return no.why if no else None


@pytest.mark.parametrize("resolution", Resolution)
def test_an_unknown_outcome_may_be_resolved_in_every_way(resolution: Resolution) -> None:
    assert why_not(resolution) is None


@pytest.mark.parametrize("resolution", [Resolution.FOUND, Resolution.NOT_THERE])
def test_a_version_that_was_never_sent_can_only_be_abandoned_or_forced(resolution: Resolution) -> None:
    assert "force_processing" in (why_not(resolution, maybe_sent=False) or "")
    assert why_not(Resolution.ABANDON, maybe_sent=False) is None


def test_a_resend_is_refused_until_lease_and_settle_have_passed_and_says_until_when() -> None:
    late = evidence(last_lease=LEASE_ENDED + timedelta(seconds=1))
    no = objection(Resolution.NOT_THERE, late, ROW, settle=SETTLE)
    assert no is not None
    assert no.not_before == NOON + timedelta(seconds=1)
    assert "after 2026-11-24 12:00:01 UTC" in no.why
    assert no.details == {"not_before": "2026-11-24T12:00:01Z"}


def test_who_says_found_need_not_wait() -> None:
    assert why_not(Resolution.FOUND, last_lease=NOON + timedelta(seconds=60)) is None


def test_a_row_that_lost_its_key_is_not_sent_again_and_hears_who_has_it() -> None:
    other = uuid4()
    assert str(other) in (why_not(Resolution.NOT_THERE, holder=other) or "")
    assert "nobody holds it" in (why_not(Resolution.NOT_THERE, holder=None) or "")


@pytest.mark.parametrize("resolution", [Resolution.FOUND, Resolution.NOT_THERE])
def test_what_an_attempt_proves_wins_over_a_person(resolution: Resolution) -> None:
    assert "accepted as cf-1" in (why_not(resolution, accepted="cf-1") or "")


def test_every_choice_says_what_speaks_against_it() -> None:
    found = choices(evidence(last_lease=NOON), ROW, settle=SETTLE)
    assert [(choice.resolution, choice.allowed, choice.not_before) for choice in found] == [
        (Resolution.FOUND, True, None),
        (Resolution.NOT_THERE, False, NOON + SETTLE),
        (Resolution.ABANDON, True, None),
    ]


def waiting(world: World, **given: Any) -> HeldDetail:
    row_id: UUID = given.pop("id", None) or uuid4()
    return world.held.add(held(id=row_id, **given), evidence(holder=row_id))


async def test_who_finds_it_gives_its_uuid_and_the_sender_reads_it_back() -> None:
    world = World()
    row = waiting(world)
    body = {"resolution": "found", "uuid": "cf-1", "reason": "seen in the dossier"}
    answer = await world.signed_in().post(f"/api/v1/held/{row.id}/resolve", json=body)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert (data["status"], data["stage"], data["reason"]) == ("held", "held", "stated")
    [moved] = world.outcomes.announced
    assert (moved.id, moved.stage, moved.reason) == (row.id, Stage.HELD, Reason.STATED)


@pytest.mark.parametrize(
    ("resolution", "stage", "reason"), [("not_there", "validated", None), ("abandon", "failed", "abandoned")]
)
async def test_a_decision_is_announced(resolution: str, stage: str, reason: str | None) -> None:
    world = World()
    row = waiting(world)
    body = {"resolution": resolution, "reason": "looked twice"}
    data = (await world.signed_in().post(f"/api/v1/held/{row.id}/resolve", json=body)).json()["data"]
    assert (data["stage"], data["reason"], data["version"]) == (stage, reason, row.version + 1)
    assert [(moved.stage, moved.reason) for moved in world.outcomes.announced] == [(stage, reason)]


async def test_who_comes_second_is_told_how_it_stands() -> None:
    world = World()
    row = waiting(world)
    http = world.signed_in()
    body = {"resolution": "abandon", "reason": "not ours"}
    assert (await http.post(f"/api/v1/held/{row.id}/resolve", json=body)).status_code == 200
    answer = await http.post(f"/api/v1/held/{row.id}/resolve", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")
    assert answer.json()["error"]["details"] == {"stage": "failed"}
    assert len(world.outcomes.announced) == 1


async def test_the_same_key_gives_the_same_answer_and_moves_nothing_twice() -> None:
    world = World()
    row = waiting(world)
    http = world.signed_in()
    body = {"resolution": "not_there", "reason": "looked twice"}
    headers = {"Idempotency-Key": "once"}
    answers = [await http.post(f"/api/v1/held/{row.id}/resolve", json=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert answers[0].json()["data"] == answers[1].json()["data"] | {"replayed": False}
    assert len(world.held.decisions) == 1
    other = await http.post(f"/api/v1/held/{row.id}/resolve", json=body | {"reason": "other"}, headers=headers)
    assert other.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize(
    "body",
    [
        {"resolution": "found", "reason": "x"},
        {"resolution": "not_there", "uuid": "cf-1", "reason": "x"},
        {"resolution": "abandon"},
        {"resolution": "wait", "reason": "x"},
        {"resolution": "found", "uuid": "two words", "reason": "x"},
    ],
)
async def test_a_decision_that_is_not_whole_is_refused(body: dict[str, str]) -> None:
    world = World()
    row = waiting(world)
    assert (await world.signed_in().post(f"/api/v1/held/{row.id}/resolve", json=body)).status_code == 422
    assert row.id in world.held.rows


async def test_a_reader_sees_and_does_not_decide() -> None:
    world = World()
    row = waiting(world)
    http = world.signed_in(world.users.add(user(Role.USER)))
    assert (await http.get(f"/api/v1/held/{row.id}")).status_code == 200
    body = {"resolution": "abandon", "reason": "x"}
    assert (await http.post(f"/api/v1/held/{row.id}/resolve", json=body)).status_code == 403


async def test_pages_of_held_invoices_are_bound_to_their_filters() -> None:
    world = World()
    for _ in range(3):
        waiting(world, dossier="0123456749")
    waiting(world, reason="changed_after_sent", maybe_sent=False)
    http = world.signed_in()
    first = (await http.get("/api/v1/held", params={"reason": "unknown_outcome", "limit": 2})).json()["data"]
    cursor = first["next_cursor"]
    rest = await http.get("/api/v1/held", params={"reason": "unknown_outcome", "limit": 2, "cursor": cursor})
    assert [len(first["items"]), len(rest.json()["data"]["items"])] == [2, 1]
    strange = await http.get("/api/v1/held", params={"limit": 2, "cursor": cursor})
    assert strange.json()["error"]["code"] == "CURSOR_INVALID"
