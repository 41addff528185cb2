"""Correlation and traces: what is carried on."""

import pytest

from common.observability.tracing import (
    accept_correlation_id,
    new_traceparent,
    parse_traceparent,
    trace_id,
)


@pytest.mark.parametrize("bad", [None, "", "short", "x" * 65, "new\nline-1", "spaces in it", 'quote"12', "abcdefgh\n"])
def test_a_correlation_id_that_could_forge_a_log_is_not_taken(bad: str | None) -> None:
    assert accept_correlation_id(bad) is None


def test_a_harmless_correlation_id_is_taken() -> None:
    assert accept_correlation_id("abc_DEF-123") == "abc_DEF-123"


@pytest.mark.parametrize("bad", [None, "", "00-x", f"00-{'0' * 32}-{'1' * 16}-01", f"01-{'1' * 32}-{'1' * 16}-01"])
def test_a_traceparent_that_is_none_starts_a_new_trace(bad: str | None) -> None:
    assert parse_traceparent(bad) is None


def test_the_trace_goes_on_with_a_new_parent() -> None:
    one = parse_traceparent(new_traceparent())
    assert one is not None
    trace_id.set(one)
    first, second = new_traceparent(), new_traceparent()
    assert parse_traceparent(first) == parse_traceparent(second) == one
    assert first != second
    trace_id.set(None)
