"""Spans to an OTLP receiver, by OpenTelemetry's own exporter: in a thread, from a bounded queue, never waited for.

Nothing of OpenTelemetry is imported while tracing is off. Worker processes have no exporter: they are spawned, or
forked by a server of their own, and never start this thread.
"""

import os
import socket
import threading
from collections import deque
from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from common.observability import metrics
from common.observability.spans import Span, tracer
from common.observability.tracing import Context

log = structlog.get_logger()

MOST_WAITING = 8_192
AT_ONCE = 512
EVERY = 1.0
EXPORT_TIMEOUT = 5.0
FLUSH_TIMEOUT = 2.0
"""Seconds that a stop waits for the last spans; what is not told by then is lost."""

_SCOPE = InstrumentationScope("clearfacts")
_KINDS = tuple(SpanKind)


class SpanQueue:
    """Takes spans without waiting; beyond `most` they are dropped, and counted."""

    def __init__(self, exporter: SpanExporter, resource: Resource, *, most: int = MOST_WAITING) -> None:
        self._exporter = exporter
        self._resource = resource
        self._most = most
        self._waiting: deque[Span] = deque()
        self._wake = threading.Event()
        self._over = False
        self._dropped = metrics.SPANS.labels("dropped")
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def put(self, span: Span) -> None:
        if len(self._waiting) >= self._most:
            self._dropped.inc()
            return
        self._waiting.append(span)
        if len(self._waiting) == AT_ONCE:
            self._wake.set()

    def close(self, seconds: float = FLUSH_TIMEOUT) -> None:
        """Tell what waits, within `seconds`; a receiver that hangs keeps nobody."""
        self._over = True
        self._wake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._over:
            self._wake.wait(EVERY)
            self._wake.clear()
            self._tell()
        self._exporter.shutdown()

    def _tell(self) -> None:
        while self._waiting:
            spans = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            metrics.SPANS.labels("exported" if self._took(spans) else "failed").inc(len(spans))

    def _took(self, spans: Sequence[Span]) -> bool:
        try:
            told = self._exporter.export([readable(span, self._resource) for span in spans])
        except Exception as error:  # noqa: BLE001 - whatever a receiver makes of it, the thread goes on
            log.warning("spans_not_told", error=f"{type(error).__name__}: {error}")
            return False
        return told is SpanExportResult.SUCCESS


def start_exporting(endpoint: str, *, service: str, environment: str = "", ratio: float) -> SpanQueue:
    """Let the tracer of this process tell `endpoint`, the base address of a receiver for OTLP over HTTP."""
    resource = Resource.create(
        {
            "service.name": service,
            "service.namespace": "clearfacts",
            "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
            **({"deployment.environment.name": environment} if environment else {}),
        }
    )
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT)
    queue = SpanQueue(exporter, resource)
    tracer.use(queue.put, ratio=ratio)
    return queue


def readable(span: Span, resource: Resource) -> ReadableSpan:
    """A span as OpenTelemetry's exporters take it."""
    return ReadableSpan(
        span.name,
        context=_context(span.context),
        parent=_context(span.context._replace(span=span.parent)) if span.parent else None,
        resource=resource,
        attributes=span.attributes,
        links=_links(span.links),
        kind=_KINDS[span.kind],
        status=Status(StatusCode.ERROR, span.error) if span.error is not None else Status(),
        start_time=span.started,
        end_time=span.ended,
        instrumentation_scope=_SCOPE,
    )


def _links(contexts: Sequence[Context]) -> list[Link]:
    return [Link(_context(context)) for context in contexts]


def _context(context: Context) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if context.sampled else TraceFlags.DEFAULT)
    return SpanContext(int(context.trace, 16), int(context.span, 16), is_remote=False, trace_flags=flags)
