"""Correlation and W3C trace context, carried through HTTP, Kafka headers and logs.

`traceparent` follows https://www.w3.org/TR/trace-context/ (version 00).
"""

import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from typing import NamedTuple
from uuid import UUID

CORRELATION_ID_PATTERN = re.compile(r"^[A-Za-z0-9_-]{8,64}\Z")
TRACEPARENT = "traceparent"
_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\Z")
_LOW_64 = 2**64 - 1
_NOTHING: Mapping[str, str] = {}

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

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace}-{self.span}-{'01' if self.sampled else '00'}"


current: ContextVar[Context | None] = ContextVar("span", default=None)
"""The span that is open."""


def accept_correlation_id(candidate: str | None) -> str | None:
    """The caller's id where it is harmless, else None (log forging, header smuggling)."""
    return candidate if candidate and CORRELATION_ID_PATTERN.match(candidate) else None


def parse_traceparent(value: str | None) -> str | None:
    """The trace id of a well-formed traceparent, else None."""
    context = parse_context(value)
    return context.trace if context else None


def parse_context(value: str | None) -> Context | None:
    """What a well-formed traceparent says, else None."""
    match = _TRACEPARENT.match(value or "")
    if match is None or match[1] == "0" * 32 or match[2] == "0" * 16:
        return None
    return Context(match[1], match[2], sampled=bool(int(match[3], 16) & 1))


def new_traceparent() -> str:
    """For what leaves: the open span; where none is open a parent that nobody exports, in the trace at hand."""
    if (context := current.get()) is not None:
        return context.traceparent
    return Context(trace_id.get() or new_trace(), new_span(), sampled=False).traceparent


def outgoing() -> Mapping[str, str]:
    """The header for a call to a system of others: there where the open span is exported."""
    context = current.get()
    return {TRACEPARENT: context.traceparent} if context is not None and context.sampled else _NOTHING


def new_trace() -> str:
    return secrets.token_hex(16)


def new_span() -> str:
    return secrets.token_hex(8)


def span_of(row_id: UUID) -> str:
    """The span that stands for a row, known to everybody who knows the row: its id's own random bits."""
    return f"{row_id.int & _LOW_64:016x}"
