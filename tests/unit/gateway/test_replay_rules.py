"""The rules of replays: what one cause is, whether an item may go, and when a replay goes on, waits or ends."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.invoice.stage import Stage, may_move
from gateway.domain.causes import cause, fingerprint
from gateway.domain.editing import MOST_LINES, difference, known_topic
from gateway.domain.failures import Selection
from gateway.domain.letters import replay_count, replay_headers
from gateway.domain.replays import (
    Await,
    ItemRefusal,
    Outcome,
    PassCanary,
    Progress,
    ReplayOrder,
    Start,
    Stop,
    Terms,
    Window,
    next_step,
)
from gateway.replay.judging import Go, LetterFacts, RowFacts, judge_announcement, judge_letter, judge_row
from gateway.replay.ports import ReadRecord
from gateway.replay.topics import subject
from tests.unit.gateway.fakes import NOON

ROW = uuid4()


@pytest.mark.parametrize(
    ("message", "masked"),
    [
        ("BR-CO-15: the total 12.30 is not 12,31", "BR-CO-15: the total <n> is not <n>"),
        ("no administration '0123456749' at \"Acme\"", "no administration <value> at <value>"),
        ("row 01a20bdb-f2df-7799-8505-d7193d2f5503 and deadbeef00", "row <id> and <hex>"),
        ("it isn't valid,\n  it wasn't", "it isn't valid, it wasn't"),
        ("", ""),
        (None, ""),
    ],
)
def test_what_differs_from_case_to_case_is_masked(message: str | None, masked: str) -> None:
    assert cause(message) == masked


def test_the_number_of_a_rule_tells_causes_apart() -> None:
    assert fingerprint("invalid", "BR-CO-15: no") != fingerprint("invalid", "BR-CO-10: no")
    assert fingerprint("invalid", "no 1") == fingerprint("invalid", "no 2")
    assert fingerprint("invalid", "no") != fingerprint("refused", "no")


@given(st.text(max_size=600))
def test_a_cause_is_named_whatever_the_message_is(message: str) -> None:
    assert len(fingerprint("x", message)) == 16


def facts(**given: Any) -> RowFacts:
    usual: dict[str, Any] = {
        "id": ROW,
        "version": 2,
        "told": 2,
        "stage": "failed",
        "reason": "invalid",
        "maybe_sent": False,
        "archived": False,
        "placed": True,
        "holder": ROW,
        "uuid": None,
        "replayed_by": None,
        "replayed_version": 0,
    }
    return RowFacts(**usual | given)


@pytest.mark.parametrize(
    ("row", "to"),
    [
        (facts(), Stage.FETCHED),
        (facts(reason="refused"), Stage.VALIDATED),
        (facts(reason="refused", placed=False, holder=None), Stage.FETCHED),
        (facts(holder=None), Stage.FETCHED),
        (facts(version=5, replayed_by="an old one", replayed_version=1), Stage.FETCHED),
    ],
)
def test_a_failed_row_may_go(row: RowFacts, to: Stage) -> None:
    assert judge_row(ROW, 2, row) == Go(to)
    assert may_move(Stage.FAILED, to)


@pytest.mark.parametrize(
    ("row", "outcome", "why"),
    [
        (None, Outcome.GONE, "no such row"),
        (facts(stage="sent", uuid="cf-1"), Outcome.SENT_ALREADY, "cf-1"),
        (facts(uuid="cf-2"), Outcome.SENT_ALREADY, "cf-2"),
        (facts(stage="held"), Outcome.REFUSED, "held"),
        (facts(stage="unknown"), Outcome.REFUSED, "not known yet"),
        (facts(stage="validated", told=3), Outcome.NOT_FAILED_ANY_MORE, "stands at validated"),
        (facts(stage="fetched", told=3, replayed_by="R", replayed_version=3), Outcome.ALREADY_REPLAYING, "replay R"),
        (facts(told=4, replayed_by="R", replayed_version=3), Outcome.ALREADY_REPLAYING, "failed again"),
        (facts(told=4), Outcome.NOT_FAILED_ANY_MORE, "failed again"),
        (facts(maybe_sent=True), Outcome.REFUSED, "may have been sent"),
        (facts(archived=True), Outcome.REFUSED, "archived"),
        (facts(holder=uuid4()), Outcome.SUPERSEDED, "has its key"),
    ],
)
def test_a_row_that_may_not_go_says_why(row: RowFacts | None, outcome: Outcome, why: str) -> None:
    refusal = judge_row(ROW, 2, row)
    assert isinstance(refusal, ItemRefusal)
    assert (refusal.outcome, why in refusal.why) == (outcome, True), refusal.why


@given(
    stage=st.sampled_from([stage.value for stage in Stage]),
    maybe_sent=st.booleans(),
    archived=st.booleans(),
    placed=st.booleans(),
    mine=st.sampled_from([None, True, False]),
    uuid=st.sampled_from([None, "cf"]),
    told=st.integers(1, 4),
    reason=st.sampled_from([None, "invalid", "refused", "a later one"]),
)
def test_nothing_that_may_be_at_the_destination_ever_goes(
    stage: str, *, maybe_sent: bool, archived: bool, placed: bool, mine: bool | None, uuid: str | None, told: int,
    reason: str | None,
) -> None:  # fmt: skip
    holder = None if mine is None else ROW if mine else uuid4()
    row = facts(stage=stage, maybe_sent=maybe_sent, archived=archived, placed=placed, holder=holder, uuid=uuid,
                told=told, reason=reason)  # fmt: skip
    if isinstance(judge_row(ROW, 2, row), Go):
        assert (row.stage, row.maybe_sent, row.uuid, row.archived) == ("failed", False, None, False)
        assert row.told <= 2
        assert row.holder in {None, ROW}


@pytest.mark.parametrize(
    ("letter", "outcome"),
    [
        (None, Outcome.GONE),
        (LetterFacts(ROW, 1, "archived", None, 0), Outcome.REFUSED),
        (LetterFacts(ROW, 2, "replaying", uuid4(), 0), Outcome.ALREADY_REPLAYING),
        (LetterFacts(ROW, 2, "dead", None, 0), Outcome.ALREADY_REPLAYING),
        (LetterFacts(ROW, 1, "dead", None, 5), Outcome.REFUSED),
    ],
)
def test_a_record_that_may_not_go_says_why(letter: LetterFacts | None, outcome: Outcome) -> None:
    refusal = judge_letter(ROW, 1, letter)
    assert isinstance(refusal, ItemRefusal)
    assert refusal.outcome is outcome
    assert judge_letter(ROW, 1, LetterFacts(ROW, 1, "dead", None, 4)) == Go()


def test_an_announcement_goes_again_only_for_the_version_that_stands() -> None:
    assert judge_announcement(ROW, 2, facts()) == Go()
    for row in (None, facts(version=3)):
        assert isinstance(judge_announcement(ROW, 2, row), ItemRefusal)


def test_a_record_names_its_row_or_nobody_can_read_it() -> None:
    found = subject(ReadRecord(0, 7, None, f'{{"id": "{ROW}", "version": 3}}'.encode(), {}))
    assert found is not None
    assert (found.id, found.version) == (ROW, 3)
    assert subject(ReadRecord(0, 7, None, b"no", {})) is None


@pytest.mark.parametrize(("text", "count"), [("3", 3), ("", 0), ("-1", 0), ("x", 0), ("9" * 9, 0), ("٣", 0)])
def test_nobodys_word_is_taken_for_the_count(text: str, count: int) -> None:
    assert replay_count({"x-replay-count": text}) == count


def test_a_records_own_headers_stay_and_ours_are_replaced() -> None:
    by: UUID = uuid4()
    headers = replay_headers({"ce_id": "1", "x-replay-count": "1", "x-replay-of": "old"}, replay_id=by, item_id=ROW)
    assert headers == {"ce_id": "1", "x-replay-count": "2", "x-replay-of": str(ROW), "x-replay-id": str(by)}


TERMS = Terms(canary=2, canary_seconds=60, rate=50, abort_share=0.2)
AFTER = Progress(waiting=10, moved=5, open=5, ended=0, failed_again=0, canary_passed=True, canary_began_at=NOON)
CANARY = replace(AFTER, moved=0, open=0, canary_passed=False, canary_began_at=None)


@pytest.mark.parametrize(
    ("progress", "step"),
    [
        (CANARY, Start(2)),
        (replace(CANARY, moved=1, open=1), Start(1)),
        (replace(CANARY, moved=2, open=1, ended=1, canary_began_at=NOON), Await()),
        (replace(CANARY, moved=2, open=1, ended=1, failed_again=1, canary_began_at=NOON), Await()),
        (replace(CANARY, moved=2, ended=2, canary_began_at=NOON), PassCanary()),
        (replace(CANARY, moved=2, ended=2, failed_again=1), Stop("failed", "1 of 2 first items failed again")),
        (replace(CANARY, waiting=0), PassCanary()),
        (AFTER, Start(3)),
        (replace(AFTER, waiting=1), Start(1)),
        (replace(AFTER, waiting=0), Stop("completed")),
        (replace(AFTER, ended=4, failed_again=4), Start(3)),
        (replace(AFTER, ended=10, failed_again=2), Start(3)),
        (replace(AFTER, ended=10, failed_again=3), Stop("failed", "3 of 10 latest items failed again")),
    ],
)
def test_the_next_step(progress: Progress, step: object) -> None:
    assert next_step(progress, TERMS, NOON, allowance=3) == step


def test_without_allowance_the_rate_is_awaited() -> None:
    assert next_step(AFTER, TERMS, NOON, allowance=0) == Await()


def test_a_canary_that_does_not_end_pauses_what_waits_and_ends_what_does_not() -> None:
    late = NOON + timedelta(seconds=61)
    out = replace(CANARY, moved=2, open=2, canary_began_at=NOON)
    stop = next_step(out, TERMS, late, allowance=3)
    assert isinstance(stop, Stop)
    assert (stop.state, stop.canary_passed) == ("paused", True)
    assert next_step(replace(out, waiting=0), TERMS, late, allowance=3) == Stop(
        "completed", "not every item has ended yet"
    )


@given(
    waiting=st.integers(0, 9), moved=st.integers(0, 9), open_=st.integers(0, 9), ended=st.integers(0, 9),
    failed=st.integers(0, 9), passed=st.booleans(), seconds=st.integers(0, 200), allowance=st.integers(0, 5),
)  # fmt: skip
def test_no_more_goes_than_the_terms_allow(
    waiting: int, moved: int, open_: int, ended: int, failed: int, *, passed: bool, seconds: int, allowance: int
) -> None:
    progress = Progress(waiting, moved, open_, ended, min(failed, ended), passed, NOON)
    step = next_step(progress, TERMS, NOON + timedelta(seconds=seconds), allowance=allowance)
    if isinstance(step, Start):
        assert step.most <= (allowance if passed else TERMS.canary - moved)
        assert waiting > 0


def test_orders_that_ask_for_the_same_are_alike() -> None:
    one = ReplayOrder(Selection(group="a"), "x")
    assert one.fingerprint == ReplayOrder(Selection(group="a"), "x").fingerprint
    assert one.fingerprint != ReplayOrder(Selection(group="b"), "x").fingerprint
    assert one.fingerprint != replace(one, terms=Terms(rate=1)).fingerprint
    assert ReplayOrder(Window("t", 0, 0, 5), "x").selection == {
        "source": "window",
        "topic": "t",
        "partition": 0,
        "first": 0,
        "last": 5,
    }


def test_documents_too_long_to_compare_say_so() -> None:
    assert difference(b"a\nb", b"a\nc").splitlines()[-2:] == ["-b", "+c"]
    assert "too many to compare" in difference(b"a\n" * MOST_LINES, b"b")
    assert known_topic("nobody's") is None
