"""Spans to an OTLP receiver, by OpenTelemetry's own exporter: in a thread, from a bounded queue, never waited for.

Nothing of OpenTelemetry is imported while tracing is off. Worker processes have no exporter: they are spawned, or
forked by a server of their own, and never start this thread.
"""

import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource

from common.observability import metrics
from common.observability.encoding import Encoder
from common.observability.spans import Attribute, Span, tracer

log = structlog.get_logger()

MOST_WAITING = 8_192
AT_ONCE = 512
EVERY = 1.0
EXPORT_TIMEOUT = 5.0
FLUSH_TIMEOUT = 2.0
"""Seconds that a stop waits for the last spans; what is not told by then is lost."""

Tell = Callable[[Sequence[Span]], bool]
"""Whether the receiver took them. May raise whatever it likes."""


class SpanQueue:
    """Takes spans without waiting; beyond `most` they are dropped, and counted."""

    def __init__(self, tell: Tell, *, most: int = MOST_WAITING) -> None:
        self._tell = tell
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
            while self._waiting:
                spans = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                metrics.SPANS.labels("exported" if self._took(spans) else "failed").inc(len(spans))

    def _took(self, spans: Sequence[Span]) -> bool:
        try:
            return self._tell(spans)
        except Exception as error:  # noqa: BLE001 - whatever a receiver makes of it, the thread goes on
            log.warning("spans_not_told", error=f"{type(error).__name__}: {error}")
            return False


def start_exporting(endpoint: str, *, service: str, environment: str = "", ratio: float) -> SpanQueue:
    """Let the tracer of this process tell `endpoint`, the base address of a receiver for OTLP over HTTP."""
    encode = Encoder(_process(service, environment))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT)

    def tell(spans: Sequence[Span]) -> bool:
        return exporter._client.export(encode(spans)).success  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - pinned; a test holds it

    queue = SpanQueue(tell)
    tracer.use(queue.put, ratio=ratio)
    return queue


def _process(service: str, environment: str) -> dict[str, Attribute]:
    """With what `OTEL_RESOURCE_ATTRIBUTES` says besides."""
    ours = {
        "service.name": service,
        "service.namespace": "clearfacts",
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
        **({"deployment.environment.name": environment} if environment else {}),
    }
    return {name: value for name, value in Resource.create(ours).attributes.items() if isinstance(value, str)}
