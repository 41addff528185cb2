"""The state machine, walked whole: it is small enough."""

from collections.abc import Sequence
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.invoice.move import IllegalMoveError, Move
from common.invoice.stage import (
    NEXT,
    OUTCOMES,
    STATUS,
    WAKE,
    Stage,
    Status,
    UnknownStageError,
    may_move,
    parse_stage,
    sources,
)

ENDS = {Stage.SENT, Stage.DUPLICATE}
ALLOWED = {
    ("fetched", "validated"), ("fetched", "failed"),
    ("validated", "sending"), ("validated", "failed"),
    ("sending", "sent"), ("sending", "failed"), ("sending", "validated"), ("sending", "unknown"),
    ("unknown", "sent"), ("unknown", "validated"), ("unknown", "held"),
    ("held", "sent"), ("held", "validated"), ("held", "failed"), ("held", "fetched"),
    ("held", "duplicate"), ("held", "held"),
    ("failed", "fetched"), ("failed", "validated"),
    ("validated", "sent"), ("failed", "sent"),
}  # fmt: skip
"""The table of the design, the two ways out of `held` that a conflict needs, and late evidence."""


def reachable_from(start: Stage) -> set[Stage]:
    seen, waiting = {start}, [start]
    while waiting:
        new = NEXT[waiting.pop()] - seen
        seen |= new
        waiting += new
    return seen


@pytest.mark.parametrize("from_", Stage)
@pytest.mark.parametrize("to", Stage)
def test_exactly_the_moves_of_the_design_may_be_built(from_: Stage, to: Stage) -> None:
    allowed = (from_.value, to.value) in ALLOWED
    assert may_move(from_, to) is allowed
    assert (from_ in sources(to)) is allowed
    if allowed:
        assert Move(uuid4(), 1, from_, to).to is to
    else:
        with pytest.raises(IllegalMoveError, match=f"{from_} -> {to}"):
            Move(uuid4(), 1, from_, to)


def test_every_stage_has_a_row_in_every_table() -> None:
    for table in (NEXT, STATUS, WAKE):
        assert set(table) == set(Stage)


def test_a_fetched_invoice_can_reach_every_stage() -> None:
    assert reachable_from(Stage.FETCHED) == set(Stage)


@pytest.mark.parametrize("end", sorted(ENDS))
def test_there_is_no_way_out_of_an_end(end: Stage) -> None:
    assert NEXT[end] == frozenset()


@pytest.mark.parametrize("stage", sorted(set(Stage) - ENDS))
def test_every_other_stage_can_still_be_sent(stage: Stage) -> None:
    assert Stage.SENT in reachable_from(stage)


def test_late_evidence_ends_a_row_wherever_it_stands_but_one_that_is_validated_anew() -> None:
    assert sources(Stage.SENT) == set(Stage) - {Stage.FETCHED, Stage.SENT, Stage.DUPLICATE}


def test_nothing_that_was_sent_or_is_being_sent_is_claimed_again() -> None:
    assert sources(Stage.SENDING) == {Stage.VALIDATED}


def test_the_statuses_are_the_seeds_and_held() -> None:
    assert {status.value for status in Status} == {"pending", "sent", "failed", "duplicate", "held"}
    pending = {stage for stage, status in STATUS.items() if status is Status.PENDING}
    assert pending == {Stage.FETCHED, Stage.VALIDATED, Stage.SENDING, Stage.UNKNOWN}
    assert set(Stage) - pending == OUTCOMES
    assert all(STATUS[stage].value == stage.value for stage in OUTCOMES)


def test_what_the_pump_claims_is_due_at_once_and_every_other_timer_is_in_the_future_or_now() -> None:
    assert WAKE[Stage.VALIDATED].total_seconds() == 0
    assert all(wake.total_seconds() >= 0 for wake in WAKE.values())


@given(st.text())
def test_a_name_is_a_stage_or_raises(name: str) -> None:
    if name in [stage.value for stage in Stage]:
        assert parse_stage(name).value == name
    else:
        with pytest.raises(UnknownStageError):
            parse_stage(name)


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_is_read_back_from_its_name(stage: Stage) -> None:
    assert parse_stage(stage.value) is stage


@given(st.lists(st.sampled_from(Stage), max_size=12))
def test_no_walk_through_the_machine_sends_twice(wishes: Sequence[Stage]) -> None:
    stage, sent = Stage.FETCHED, 0
    for wish in wishes:
        if may_move(stage, wish):
            stage = wish
            sent += wish is Stage.SENT
    assert sent <= 1
