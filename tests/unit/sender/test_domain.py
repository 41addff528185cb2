"""What a delivery makes of its row."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.invoice.move import Move
from common.invoice.stage import Reason, Stage
from sender.domain import Accepted, Delivery, NotAccepted, Outcome, OutcomeUnknown, Refused, Settlement, release
from sender.domain.retry import PATIENCE, SCHEDULE, pause
from tests.unit.sender.fakes import make_claim, settle

CLAIM = make_claim()
DAYS = st.timedeltas(timedelta(0), timedelta(days=10))
CHANCES = st.integers(0, 2**32).map(random.Random)


@pytest.mark.parametrize(
    ("delivery", "outcome", "to", "reason", "maybe_sent"),
    [
        (Accepted("u", {"uuid": "u"}), Outcome.ACCEPTED, Stage.SENT, None, False),
        (Refused("C", "wrong", {}), Outcome.REFUSED, Stage.FAILED, Reason.REFUSED, None),
        (NotAccepted("denied"), Outcome.NOT_ACCEPTED, Stage.VALIDATED, Reason.NOT_ACCEPTED, None),
        (NotAccepted("429", everyone=True), Outcome.NOT_ACCEPTED, Stage.VALIDATED, Reason.NOT_ACCEPTED, None),
        (OutcomeUnknown("reset"), Outcome.UNKNOWN, Stage.UNKNOWN, Reason.UNKNOWN_OUTCOME, True),
        (OutcomeUnknown("409", exists=True), Outcome.EXISTS, Stage.UNKNOWN, Reason.UNKNOWN_OUTCOME, True),
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
    assert end.own_failure is False


def test_a_claim_whose_key_may_be_forgotten_is_looked_into_again_and_not_claimed_again() -> None:
    end = release(make_claim(maybe_sent=True, too_late=True))
    assert (end.outcome, end.to, end.wake) == (Outcome.RELEASED, Stage.UNKNOWN, timedelta(0))


@given(st.integers(0, 100), DAYS, st.none() | DAYS, CHANCES)
def test_an_own_failure_waits_as_long_as_it_was_told_and_at_most_the_schedule_more(
    failures: int, failing_for: timedelta, wait: timedelta | None, chance: random.Random
) -> None:
    floor = min(wait or timedelta(0), timedelta(hours=1))
    end = pause(failures, failing_for, chance, floor=wait)
    assert floor <= end <= floor + SCHEDULE[min(failures, 8)]
    assert end <= floor or failing_for + end <= PATIENCE


def test_the_schedule_is_that_of_the_design() -> None:
    class Longest(random.Random):
        def random(self) -> float:
            return 1.0

    pauses = [pause(failures, timedelta(0), Longest()).total_seconds() for failures in (*range(9), 9, 1000)]
    assert pauses == [10, 30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200, 43_200, 43_200]


def test_an_own_failure_counts() -> None:
    end = settle(make_claim(failures=3, failing_for=timedelta(hours=2)), NotAccepted("denied"))
    assert end.own_failure
    assert end.wake is not None
    assert end.wake <= SCHEDULE[3]


@given(st.integers(0, 100), DAYS, st.none() | DAYS)
def test_what_is_everybodys_fault_burns_nothing_however_long_it_lasts(
    failures: int, failing_for: timedelta, wait: timedelta | None
) -> None:
    floor = timedelta(seconds=1) if wait is None else min(wait, timedelta(hours=1))
    end = settle(
        make_claim(failures=failures, failing_for=failing_for), NotAccepted("could not connect", wait, everyone=True)
    )
    assert (end.to, end.own_failure) == (Stage.VALIDATED, False)
    assert end.wake is not None
    assert floor <= end.wake <= floor + timedelta(seconds=1)


def test_three_days_of_own_failures_are_the_end() -> None:
    before = settle(make_claim(failing_for=PATIENCE - timedelta(minutes=1)), NotAccepted("denied"))
    after = settle(make_claim(failing_for=PATIENCE), NotAccepted("denied"))
    assert (before.to, after.to, after.reason) == (Stage.VALIDATED, Stage.FAILED, Reason.EXHAUSTED)
    assert before.wake is not None
    assert before.wake <= timedelta(minutes=1), "the last attempt is not put beyond the end"


@pytest.mark.parametrize(
    ("delivery", "failing_for"), [(Refused("C", "wrong", {}), timedelta(0)), (NotAccepted("denied"), PATIENCE)]
)
def test_a_row_that_may_have_been_sent_never_fails_by_itself(delivery: Delivery, failing_for: timedelta) -> None:
    end = settle(make_claim(maybe_sent=True, failing_for=failing_for), delivery)
    assert (end.to, end.reason) == (Stage.UNKNOWN, Reason.UNKNOWN_OUTCOME)


@given(st.text(), st.text(), st.text())
def test_the_texts_of_others_are_cut_and_can_be_dropped(code: str, message: str, uuid: str) -> None:
    refused = settle(CLAIM, Refused(code, message * 100, {"m": message}))
    assert len(refused.error or "") <= 1000
    for end in (refused, settle(CLAIM, Accepted(uuid, {"uuid": uuid}))):
        bare: Settlement = end.without_text()
        assert (bare.claim, bare.outcome, bare.to, bare.response) == (end.claim, end.outcome, end.to, None)
        (bare.uuid or "").encode()
        assert "\x00" not in (bare.uuid or "")
