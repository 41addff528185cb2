"""The balance proof, without a database: one contradiction for one thing that does not add up."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.balance import BalanceFacts

WHOLE = BalanceFacts(
    listed=12,
    known=2,
    without_fate=0,
    fate_without_row=0,
    row_without_page=0,
    broken_page_chain=0,
    buckets={"sent": 6, "failed": 3, "held": 1},
    sent_without_acceptance=0,
    accepted_but_not_sent=0,
    accepted_twice=0,
)
COUNTS = [f.name for f in fields(BalanceFacts) if f.name not in {"listed", "known", "buckets"}]
TEXTS = {
    "without_fate": "3 listed items have no fate",
    "fate_without_row": "3 listed items have no row",
    "row_without_page": "3 rows are on no page",
    "broken_page_chain": "3 pages do not follow the page before",
    "sent_without_acceptance": "3 sent without an acceptance",
    "accepted_but_not_sent": "3 accepted but not sent",
    "accepted_twice": "3 accepted more than once",
}


def test_what_adds_up_has_no_contradiction() -> None:
    assert WHOLE.contradictions() == ()


@pytest.mark.parametrize("name", COUNTS)
def test_each_fact_that_contradicts_is_named_alone(name: str) -> None:
    assert replace(WHOLE, **{name: 3}).contradictions() == (TEXTS[name],)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"listed": 13}, {"known": 1}, {"buckets": {"sent": 9}}])
def test_buckets_that_do_not_add_up_to_what_was_listed_are_named(change: dict[str, object]) -> None:
    (text,) = replace(WHOLE, **change).contradictions()  # type: ignore[arg-type]
    assert text.endswith("in buckets")


@given(
    st.dictionaries(st.sampled_from(["sent", "failed", "duplicate", "held"]), st.integers(0, 99)), st.integers(0, 99)
)
def test_any_split_into_buckets_that_adds_up_is_fine(buckets: dict[str, int], known: int) -> None:
    facts = replace(WHOLE, buckets=buckets, known=known, listed=sum(buckets.values()) + known)
    assert facts.contradictions() == ()
    assert replace(facts, listed=facts.listed + 1).contradictions() != ()
