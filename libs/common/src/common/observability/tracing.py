"""Correlation and W3C trace context, carried through HTTP, Kafka headers and logs.

`traceparent` follows https://www.w3.org/TR/trace-context/ (version 00).
"""

import re
import secrets
from contextvars import ContextVar
from typing import NamedTuple

CORRELATION_ID_PATTERN = re.compile(r"^[A-Za-z0-9_-]{8,64}\Z")
_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\Z")

correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)
job_id: ContextVar[str | None] = ContextVar("job_id", default=None)
"""The job that the work in hand belongs to: every log line says it."""

trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)
"""The trace that was handed in, where no span is open."""


class Context(NamedTuple):
    """A span's place: its trace and itself in hex, and whether it is exported."""

    trace: str
    span: str
    sampled: bool


current: ContextVar[Context | None] = ContextVar("span", default=None)
"""The span that is open."""


def accept_correlation_id(candidate: str | None) -> str | None:
    """The caller's id where it is harmless, else None (log forging, header smuggling)."""
    return candidate if candidate and CORRELATION_ID_PATTERN.match(candidate) else None


def parse_traceparent(value: str | None) -> str | None:
    """The trace id of a well-formed traceparent, else None."""
    match = _TRACEPARENT.match(value or "")
    return match.group(1) if match and match.group(1) != "0" * 32 else None


def new_traceparent() -> str:
    """A traceparent for an outgoing call: the current trace (or a new one), a new parent id, sampled."""
    return f"00-{trace_id.get() or secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
