"""Spans at our few doors: recorded where their trace is sampled, next to nothing where it is not.

A span is handed to the exporter when it ends. What is not sampled costs a look at a context variable; of it only a span
that ends in an error is told, by whoever opens a trace or works an invoice (`Tracer.told`).
"""

import time
from collections.abc import Callable, Sequence
from contextvars import Token
from dataclasses import dataclass, field
from enum import IntEnum
from types import TracebackType
from typing import Self

from common.observability.ecs import told
from common.observability.tracing import Context, current, new_span

_RANDOM_BITS = 2**32 - 1
"""The last four bytes are random in every trace id (W3C Trace Context, level 2) and in every UUIDv7 of ours: the bits
before them count within a millisecond, so a page of rows would be sampled whole or not at all."""

Attribute = str | int | float | bool


class Kind(IntEnum):
    """As OpenTelemetry numbers them."""

    INTERNAL = 0
    SERVER = 1
    CLIENT = 2
    PRODUCER = 3
    CONSUMER = 4


@dataclass(slots=True)
class Span:
    """Times in nanoseconds since 1970; `parent` is a span's id; `error` says why it failed."""

    name: str
    context: Context
    parent: str | None
    kind: Kind = Kind.INTERNAL
    started: int = 0
    ended: int = 0
    attributes: dict[str, Attribute] = field(default_factory=dict[str, Attribute])
    links: Sequence[Context] = ()
    error: str | None = None


Export = Callable[[Span], None]


class Opened:
    """`with` it the span is the open one; an exception that leaves it is its error."""

    __slots__ = ("_export", "_token", "span")

    def __init__(self, span: Span, export: Export) -> None:
        self.span = span
        self._export = export

    def __enter__(self) -> Span:
        self.span.started = self.span.started or time.time_ns()
        self._token: Token[Context | None] = current.set(self.span.context)
        return self.span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        current.reset(self._token)
        if error is not None and self.span.error is None:
            self.span.error = f"{type(error).__name__}: {told(str(error))}"
        self.span.ended = time.time_ns()
        self._export(self.span)


class _Nothing:
    """Where nothing is recorded."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


_NOTHING = _Nothing()


class Tracer:
    """One a process; off until it is given an exporter."""

    def __init__(self) -> None:
        self._export: Export | None = None
        self._below = 0

    @property
    def on(self) -> bool:
        return self._export is not None

    def use(self, export: Export | None, *, ratio: float = 0.0) -> Self:
        """Hand spans that end to `export`; `ratio` is the part of reads and of invoices that is sampled."""
        self._export = export
        self._below = round(ratio * (_RANDOM_BITS + 1))
        return self

    def samples(self, number: int) -> bool:
        """The same answer in every process: by the random bits of a trace's or a row's id."""
        return (number & _RANDOM_BITS) < self._below

    def span(
        self,
        name: str,
        kind: Kind = Kind.INTERNAL,
        *,
        parent: Context | None = None,
        links: Sequence[Context] = (),
        attributes: dict[str, Attribute] | None = None,
    ) -> "Opened | _Nothing":
        """A child of `parent`, else of the open span; nothing where that is not sampled or there is none."""
        if self._export is None:
            return _NOTHING
        above = parent or current.get()
        if above is None or not above.sampled:
            return _NOTHING
        context = Context(above.trace, new_span(), sampled=True)
        return Opened(Span(name, context, above.span, kind, attributes=attributes or {}, links=links), self._export)

    def told(self, span: Span) -> None:
        """Hand over a span that was made afterwards."""
        if self._export is not None:
            self._export(span)


tracer = Tracer()
