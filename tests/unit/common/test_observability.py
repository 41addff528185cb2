"""Logs and traces: what is carried on, what is never written."""

import json
import logging

import pytest
import structlog

from common.observability.logging import RateLimit, configure_logging
from common.observability.tracing import (
    accept_correlation_id,
    correlation_id,
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


def test_a_line_is_one_json_object_with_its_correlation_and_without_secrets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(service="test", level="info", fmt="json")
    correlation_id.set("correlation-1")
    structlog.get_logger("x").info("signed_in", access_token="s3cr3t", user="u", Password="s3cr3t", note="a\nb")
    logging.getLogger("library").warning("from %s", "a library")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["signed_in", "from a library"]
    assert {line["correlation_id"] for line in lines} == {"correlation-1"}
    assert "s3cr3t" not in str(lines)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_library_that_says_the_same_a_hundred_times_a_second_is_heard_twice() -> None:
    limit = RateLimit(per_second=2.0)
    record = logging.LogRecord("aiokafka", logging.WARNING, "f", 1, "no broker %s", ("x",), None)
    other = logging.LogRecord("aiokafka", logging.WARNING, "f", 1, "another text", (), None)
    heard = 0
    for number in range(100):
        record.created = 1000.0 + number / 100
        heard += limit.filter(record)
    assert heard == 2
    other.created = record.created
    assert limit.filter(other)
