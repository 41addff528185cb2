"""What attempts and lookups prove about a row of which nobody knows whether it was sent."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.domain import Outcome
from sender.domain.evidence import (
    Absent,
    Case,
    Found,
    Hold,
    LookAgain,
    LookupFailed,
    Proven,
    Rules,
    SendAgain,
    Trial,
    Verdict,
    judge,
    needs_lookup,
)
from sender.domain.retry import PATIENCE

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
LEASE = timedelta(seconds=90)
SETTLE = timedelta(seconds=180)
RULES = Rules(lookup=True, settle=SETTLE, key_life=timedelta(hours=24), key_margin=timedelta(hours=1))
DEAF = Rules(lookup=False, settle=SETTLE, key_life=None)
SETTLED = LEASE + SETTLE
EVIDENCE = st.sampled_from([None, Found(("u-1",)), Absent(), LookupFailed("reset")])


def trial(**changes: Any) -> Trial:
    usual: dict[str, Any] = {"number": 1, "started_at": START, "lease_until": START + LEASE, "outcome": Outcome.UNKNOWN}
    return Trial(**usual | changes)


def case(*trials: Trial, after: timedelta = SETTLED, **changes: Any) -> Case:
    return Case(uuid4(), 4, uuid4(), START + after, trials or (trial(),), **changes)


def verdict(of: Case, evidence: Any, rules: Rules = RULES) -> Verdict:
    return judge(of, evidence, rules, random.Random(1))


@given(st.timedeltas(timedelta(0), timedelta(days=30)))
def test_found_is_proof_at_any_time(after: timedelta) -> None:
    assert verdict(case(after=after), Found(("u-1",))) == Proven(("u-1",))


@pytest.mark.parametrize("missing", [timedelta(seconds=1), SETTLE, SETTLED])
def test_absent_before_a_request_must_have_arrived_says_nothing(missing: timedelta) -> None:
    assert verdict(case(after=SETTLED - missing), Absent()) == LookAgain(missing, absent=False)


def test_the_first_absent_that_counts_is_asked_again_after_another_settle() -> None:
    assert verdict(case(), Absent()) == LookAgain(SETTLE, absent=True)


def test_a_second_absent_too_soon_after_the_first_does_not_count() -> None:
    first = trial(absent=1, looked_up_at=START + SETTLED)
    early = case(first, after=SETTLED + SETTLE / 2)
    assert verdict(early, Absent()) == LookAgain(SETTLE / 2, absent=False)


def test_absent_twice_is_sent_again_under_the_same_key() -> None:
    first = trial(absent=1, looked_up_at=START + SETTLED)
    again = verdict(case(first, after=SETTLED + SETTLE), Absent())
    assert isinstance(again, SendAgain)
    assert again.cleared is False
    assert again.wait <= timedelta(seconds=10)


def twice_absent(after: timedelta = SETTLED + SETTLE, **changes: Any) -> Case:
    return case(trial(absent=1, looked_up_at=START + SETTLED), after=after, **changes)


@pytest.mark.parametrize(
    ("held", "rules"),
    [
        (twice_absent(timedelta(hours=23)), RULES),
        (twice_absent(), Rules(lookup=True, settle=SETTLE, key_life=None)),
        (twice_absent(failing_for=PATIENCE), RULES),
        (twice_absent(document=False), RULES),
        (case(trial(absent=1, outcome=Outcome.EXISTS), after=SETTLED + SETTLE), RULES),
        (case(trial(absent=1), trial(number=2, outcome=Outcome.REFUSED), after=SETTLED + SETTLE), RULES),
    ],
    ids=[
        "key forgotten",
        "no key",
        "three days",
        "no document",
        "exists under another reference",
        "refused the second time",
    ],
)
def test_absent_twice_is_held_where_another_sending_may_be_a_second_document(held: Case, rules: Rules) -> None:
    end = verdict(held, Absent(), rules)
    assert isinstance(end, Hold)
    assert end.absent


def test_the_life_of_the_key_is_counted_from_the_first_unclear_attempt() -> None:
    now = START + timedelta(hours=30)
    older = trial(absent=2)
    newer = trial(number=2, started_at=now - SETTLED - SETTLE, lease_until=now - SETTLE - SETTLE, absent=1)
    assert isinstance(verdict(case(older, newer, after=now - START), Absent()), Hold)


def test_a_resend_that_is_unclear_too_is_looked_up_twice_again() -> None:
    at = timedelta(hours=1)
    newer = trial(number=2, started_at=START + at, lease_until=START + at + LEASE)
    rows = (trial(absent=2, looked_up_at=START + SETTLED + SETTLE), newer)
    assert verdict(case(*rows, after=at + SETTLED), Absent()) == LookAgain(SETTLE, absent=True)


@given(st.timedeltas(timedelta(0), timedelta(days=30)), st.integers(0, 3))
def test_a_failed_lookup_changes_nothing_and_is_asked_again(after: timedelta, absent: int) -> None:
    again = verdict(case(trial(absent=absent), after=after), LookupFailed("503"))
    assert isinstance(again, LookAgain)
    assert again.absent is False
    assert timedelta(seconds=15) <= again.wait <= timedelta(seconds=45)


def test_a_destination_that_cannot_be_asked_leaves_it_to_a_person_at_once() -> None:
    row = case(after=timedelta(seconds=1))
    assert not needs_lookup(row, DEAF)
    assert isinstance(verdict(row, None, DEAF), Hold)


@given(EVIDENCE)
def test_an_acceptance_that_was_written_down_needs_no_lookup_and_wins(evidence: Any) -> None:
    late = case(trial(), trial(number=2, outcome=Outcome.ACCEPTED, uuid="u-late"))
    assert not needs_lookup(late, RULES)
    assert verdict(late, evidence) == Proven(("u-late",))


def test_two_acceptances_are_both_told() -> None:
    twice = case(*(trial(number=n, outcome=Outcome.ACCEPTED, uuid=f"u-{n}") for n in (1, 2)))
    assert verdict(twice, None) == Proven(("u-1", "u-2"))


@given(EVIDENCE, st.lists(st.sampled_from([Outcome.NOT_ACCEPTED, Outcome.REFUSED, Outcome.RELEASED]), min_size=1))
def test_late_answers_that_prove_each_attempt_not_accepted_free_the_row(evidence: Any, ends: list[Outcome]) -> None:
    proven = case(*(trial(number=number, outcome=end) for number, end in enumerate(ends)))
    assert not needs_lookup(proven, RULES)
    assert verdict(proven, evidence) == SendAgain(timedelta(0), cleared=True)


def test_a_row_that_is_marked_without_an_attempt_is_never_sent_by_itself() -> None:
    bare = Case(uuid4(), 4, uuid4(), START + timedelta(days=1), ())
    assert isinstance(verdict(bare, Absent()), Hold)
    assert verdict(bare, Found(("u-1",))) == Proven(("u-1",))


OUTCOMES = st.sampled_from([None, *Outcome])
TRIALS = st.lists(st.builds(trial, outcome=OUTCOMES, absent=st.integers(0, 3)), max_size=3)


@given(TRIALS, EVIDENCE, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_nothing_unclear_is_ever_sent_again_after_the_life_of_its_key_or_without_a_lookup(
    trials: list[Trial], evidence: Any, after: timedelta
) -> None:
    row = Case(uuid4(), 4, uuid4(), START + after, trials)
    end = verdict(row, evidence)
    if isinstance(end, SendAgain) and row.unclear:
        assert evidence == Absent()
        assert SETTLED <= after < timedelta(hours=23)
        assert row.unclear[-1].absent >= 1
