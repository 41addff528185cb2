"""`clearfacts held`, against the real gateway's API over fakes."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.domain.access import Role
from gateway.domain.held import Comparison, Evidence, FieldChange, HeldDetail, OtherVersion
from gateway.domain.readings import Attempted
from tests.unit.cli.desk import Desk
from tests.unit.gateway.fakes import NOON, invoice
from tests.unit.gateway.fakes_held import SETTLE, held


def waiting(desk: Desk, *, maybe_sent: bool = True, **given: Any) -> HeldDetail:
    row_id: UUID = uuid4()
    evidence = Evidence(NOON, maybe_sent, row_id, NOON - SETTLE, None)
    row = desk.world.held.add(held(id=row_id, number="2026/1", maybe_sent=maybe_sent, **given), evidence)
    desk.world.invoices.rows.append(invoice(id=row_id, number="2026/1", status="held", stage="held"))
    return row


def test_the_list_fits_a_terminal_and_says_how_long(desk: Desk) -> None:
    waiting(desk, age_seconds=90_000, dossier="0123456749")
    shown = desk.signed_in()("held", "list")
    assert shown.exit_code == 0
    assert "unknown_outcome" in shown.stdout
    assert "1d 1h" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_a_changed_version_is_shown_as_a_table_of_fields(desk: Desk) -> None:
    change = FieldChange("Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount", "121.00", "142.00")
    other = OtherVersion(uuid4(), "SRC-1", "2026/1", "sent", "sent", None, None, None, None, None, None, "cf-9")
    waiting(desk, maybe_sent=False, reason="changed_after_sent", other=other, difference=Comparison([change], more=3))
    shown = desk.signed_in()("held", "show", "2026/1").stdout
    assert "121.00" in shown
    assert "142.00" in shown
    assert "cbc:PayableAmount" in shown
    assert "and 3 more fields" in shown
    assert "its uuid" in shown
    assert "may be decided: --abandon" in shown
    assert "not now: --found UUID: this version was never sent" in shown


def test_an_unknown_outcome_shows_its_attempts(desk: Desk) -> None:
    attempt = Attempted(NOON, 3, 17, uuid4(), NOON, None, "unknown", None, None)
    waiting(desk, attempts=[attempt])
    assert "attempt 17: unknown, until 2026-11-24 12:00:00Z" in desk.signed_in()("held", "show", "2026/1").stdout


@pytest.mark.parametrize(
    ("words", "told", "stage"),
    [
        (("--found", "cf-1"), "the sender reads it back", "held"),
        (("--not-there",), "it is sent again", "validated"),
        (("--abandon",), "given up", "failed"),
    ],
)
def test_a_decision_says_what_happens_now(desk: Desk, words: tuple[str, ...], told: str, stage: str) -> None:
    row = waiting(desk)
    shown = desk.signed_in(Role.OPERATOR)("held", "resolve", "2026/1", *words, "--reason", "I looked")
    assert shown.exit_code == 0, shown.output
    assert told in shown.stdout
    assert shown.stdout.rstrip().endswith(f"it stands at {stage}")
    assert desk.world.held.gone[row.id].stage == stage
    assert desk.world.held.decisions[0].reason == "I looked"


@pytest.mark.parametrize("words", [(), ("--abandon", "--not-there"), ("--found", "cf-1", "--abandon")])
def test_a_decision_that_is_none_or_two_is_a_wrong_use(desk: Desk, words: tuple[str, ...]) -> None:
    waiting(desk)
    assert desk.signed_in()("held", "resolve", "2026/1", *words, "--reason", "x").exit_code == 2
    assert desk.world.held.decisions == []


def test_a_refusal_is_one_line_that_says_why(desk: Desk) -> None:
    waiting(desk, maybe_sent=False)
    shown = desk.signed_in()("held", "resolve", "2026/1", "--not-there", "--reason", "x")
    assert shown.exit_code == 1
    assert shown.stderr.startswith("error: ")
    assert "never sent" in shown.stderr
    assert shown.stderr.count("\n") == 1


def test_without_an_answer_it_says_how_to_repeat_safely_and_that_decides_once(desk: Desk) -> None:
    waiting(desk)
    words = ("held", "resolve", "2026/1", "--abandon", "--reason", "x", "--idempotency-key", "k-1", "--json")
    first, second = desk.signed_in()(*words), desk(*words)
    assert json.loads(second.stdout) == json.loads(first.stdout) | {"replayed": True}
    assert len(desk.world.held.decisions) == 1


def test_json_has_the_whole_difference(desk: Desk) -> None:
    long = "x" * 300
    waiting(desk, difference=Comparison([FieldChange("Invoice/cbc:Note", None, long)]))
    shown = json.loads(desk.signed_in()("held", "show", "2026/1", "--json").stdout)
    assert shown["difference"]["changes"][0]["new"] == long
