"""Who keeps a key: the whole table of `judge`."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.invoice.stage import Reason, Stage
from fetcher.domain import DuplicateOf, ForceRefused, Fresh, Held, Holder, judge

SAME, OTHER = b"same", b"other"
OPEN = (Stage.FETCHED, Stage.VALIDATED, Stage.SENDING, Stage.UNKNOWN)
HOLDERS = st.builds(
    Holder,
    id=st.uuids(),
    stage=st.sampled_from(Stage),
    maybe_sent=st.booleans(),
    content_sha256=st.sampled_from([SAME, OTHER, None]),
    generation=st.integers(0, 9),
    cancelled=st.booleans(),
)


def holder(stage: Stage, content: bytes = SAME, *, maybe_sent: bool = False, cancelled: bool = False) -> Holder:
    return Holder(uuid4(), stage, maybe_sent, content, generation=3, cancelled=cancelled)


@pytest.mark.parametrize("force", [False, True])
def test_a_key_without_a_holder_is_free(*, force: bool) -> None:
    assert judge(SAME, None, force=force) == Fresh(generation=0, takes_over=False)


@pytest.mark.parametrize("stage", Stage)
def test_the_same_content_is_a_duplicate_whatever_became_of_its_holder(stage: Stage) -> None:
    first = holder(stage)
    assert judge(SAME, first, force=False) == DuplicateOf(first.id)


def test_other_content_after_the_holder_was_sent_waits_for_a_person() -> None:
    first = holder(Stage.SENT)
    assert judge(OTHER, first, force=False) == Held(Reason.CHANGED_AFTER_SENT, first.id)


@pytest.mark.parametrize("stage", [*OPEN, Stage.HELD])
def test_other_content_while_the_holder_is_open_or_held_conflicts(stage: Stage) -> None:
    first = holder(stage)
    assert judge(OTHER, first, force=False) == Held(Reason.CONFLICTING_VERSION, first.id)


def test_other_content_takes_the_key_of_a_failed_holder() -> None:
    assert judge(OTHER, holder(Stage.FAILED), force=False) == Fresh(generation=3, takes_over=True)


@pytest.mark.parametrize("content", [SAME, OTHER])
def test_a_cancelled_holder_gives_its_key_to_the_next_listing(content: bytes) -> None:
    assert judge(content, holder(Stage.FAILED, cancelled=True), force=False) == Fresh(generation=3, takes_over=True)


def test_a_failed_holder_that_may_have_been_sent_keeps_its_key() -> None:
    first = holder(Stage.FAILED, maybe_sent=True, cancelled=True)
    assert judge(OTHER, first, force=False) == Held(Reason.CONFLICTING_VERSION, first.id)
    assert judge(SAME, first, force=False) == DuplicateOf(first.id)


@pytest.mark.parametrize("stage", [Stage.SENT, Stage.FAILED])
def test_force_makes_the_next_generation_over_a_sent_or_failed_holder(stage: Stage) -> None:
    assert judge(SAME, holder(stage), force=True) == Fresh(generation=4, takes_over=True)


@pytest.mark.parametrize("stage", OPEN)
def test_force_against_an_open_holder_is_a_duplicate(stage: Stage) -> None:
    first = holder(stage)
    assert judge(OTHER, first, force=True) == DuplicateOf(first.id)


@pytest.mark.parametrize("first", [holder(Stage.HELD), holder(Stage.SENT, maybe_sent=True)])
def test_force_against_held_or_maybe_sent_is_refused_and_says_why(first: Holder) -> None:
    judgement = judge(SAME, first, force=True)
    assert isinstance(judgement, ForceRefused)
    assert str(first.id) in judgement.why


@given(first=HOLDERS, content=st.sampled_from([SAME, OTHER]), force=st.booleans())
def test_nothing_that_may_have_been_sent_or_is_open_ever_loses_its_key(
    *, first: Holder, content: bytes, force: bool
) -> None:
    """Without force this also holds for what was sent."""
    judgement = judge(content, first, force=force)
    if isinstance(judgement, Fresh):
        assert judgement.takes_over
        assert not first.maybe_sent
        assert first.stage not in {*OPEN, Stage.HELD}
        assert force or first.stage is Stage.FAILED
        assert judgement.generation == first.generation + force
