"""What a delivery makes of its row."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.invoice.move import Move
from common.invoice.stage import Reason, Stage
from sender.domain import (
    Accepted,
    Delivery,
    NotAccepted,
    Outcome,
    OutcomeUnknown,
    Refused,
    Settlement,
    release,
    settle,
)
from sender.domain.settlement import pause_after
from tests.unit.sender.fakes import make_claim

CLAIM = make_claim()


@pytest.mark.parametrize(
    ("delivery", "outcome", "to", "reason", "maybe_sent"),
    [
        (Accepted("u", {"uuid": "u"}), Outcome.ACCEPTED, Stage.SENT, None, False),
        (Refused("C", "wrong", {}), Outcome.REFUSED, Stage.FAILED, Reason.REFUSED, None),
        (NotAccepted("429"), Outcome.NOT_ACCEPTED, Stage.VALIDATED, Reason.NOT_ACCEPTED, None),
        (OutcomeUnknown("reset"), Outcome.UNKNOWN, Stage.UNKNOWN, Reason.UNKNOWN_OUTCOME, True),
    ],
)
def test_each_delivery_has_one_end(
    *, delivery: Delivery, outcome: Outcome, to: Stage, reason: Reason | None, maybe_sent: bool | None
) -> None:
    end = settle(CLAIM, delivery)
    assert (end.outcome, end.to, end.reason, end.maybe_sent) == (outcome, to, reason, maybe_sent)
    Move(CLAIM.id, CLAIM.version, Stage.SENDING, end.to)


def test_a_claim_that_never_left_is_free_at_once() -> None:
    end = release(CLAIM)
    assert (end.outcome, end.to, end.wake) == (Outcome.RELEASED, Stage.VALIDATED, timedelta(0))


@given(st.integers(0, 100), st.none() | st.timedeltas(timedelta(0), timedelta(hours=1)))
def test_a_row_that_was_not_accepted_waits_at_least_as_long_as_it_was_told(before: int, wait: timedelta | None) -> None:
    end = settle(make_claim(attempts_before=before), NotAccepted("429", wait))
    assert end.wake is not None
    assert end.wake >= (wait or timedelta(0))
    assert end.wake >= pause_after(before) >= timedelta(seconds=1)


def test_pauses_grow_to_a_minute_and_no_further() -> None:
    assert [pause_after(before).total_seconds() for before in (0, 1, 2, 3, 4, 1000)] == [1, 5, 15, 60, 60, 60]


@given(st.text(), st.text(), st.text())
def test_the_texts_of_others_are_cut_and_can_be_dropped(code: str, message: str, uuid: str) -> None:
    refused = settle(CLAIM, Refused(code, message * 100, {"m": message}))
    assert len(refused.error or "") <= 1000
    for end in (refused, settle(CLAIM, Accepted(uuid, {"uuid": uuid}))):
        bare: Settlement = end.without_text()
        assert (bare.claim, bare.outcome, bare.to, bare.response) == (end.claim, end.outcome, end.to, None)
        (bare.uuid or "").encode()
        assert "\x00" not in (bare.uuid or "")
