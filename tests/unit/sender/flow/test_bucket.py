"""Tokens that were leased to this process."""

import pytest

from sender.domain.flow import Bucket, chunk
from sender.domain.flow.bucket import AHEAD, LIFE


def test_each_token_is_taken_once() -> None:
    bucket = Bucket(5.0)
    bucket.fill(3, 0.0)
    assert [bucket.take(0.1) for _ in range(4)] == [True, True, True, False]


def test_tokens_that_were_not_used_die() -> None:
    bucket = Bucket(5.0)
    bucket.fill(3, 0.0)
    assert not bucket.take(LIFE)
    bucket.fill(1, LIFE)
    assert [bucket.take(LIFE) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(("rate", "tokens"), [(0.2, 1), (1.0, 1), (2.5, 3), (300.0, 300)])
def test_a_lease_is_a_second_of_work(rate: float, tokens: int) -> None:
    assert chunk(rate) == tokens


def test_only_so_many_stand_in_line_that_none_outlives_its_lease_there() -> None:
    assert Bucket(2.0).most_waiting() == 2 * AHEAD
    assert Bucket(0.01).most_waiting() == 1
