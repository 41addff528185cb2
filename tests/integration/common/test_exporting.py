"""OpenTelemetry's exporter against the sandbox's receiver, and against one that takes the call and never answers."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from common.observability.exporting import SpanQueue, start_exporting
from common.observability.spans import Kind, tracer
from common.observability.tracing import Context
from sandbox.traces import Traces
from sandbox.web import Hang, Listener, listen

ABOVE = Context("0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7", sampled=True)


@pytest.fixture(autouse=True)
def _off_again() -> Iterator[None]:
    yield
    tracer.use(None)


@pytest.fixture
async def silent() -> AsyncGenerator[Listener]:
    listener = await listen(lambda _: Hang())
    yield listener
    listener.stop()


def exporting(listener: Listener) -> SpanQueue:
    return start_exporting(f"http://127.0.0.1:{listener.port}/", service="test", environment="local", ratio=1.0)


async def test_a_span_arrives_as_it_was(tmp_path: Path) -> None:
    traces = Traces(tmp_path / "traces.jsonl")
    listener = await listen(traces.routes())
    queue = exporting(listener)
    with tracer.span("send", Kind.CLIENT, parent=ABOVE, attributes={"number": 7}, links=[ABOVE]) as span:
        assert span is not None
        span.error = "refused"
    await asyncio.to_thread(queue.close)
    [told] = traces.spans(ABOVE.trace)
    assert (told["name"], told["kind"], told["service"], told["error"]) == ("send", "client", "test", "refused")
    assert (told["span_id"], told["parent_id"]) == (span.context.span, ABOVE.span)
    assert (told["attributes"], len(told["links"])) == ({"number": 7}, 1)
    listener.stop()
    traces.close()


async def test_a_receiver_that_never_answers_keeps_nobody_waiting(silent: Listener) -> None:
    queue = exporting(silent)
    began = time.perf_counter()
    for _ in range(1_000):
        with tracer.span("x", parent=ABOVE):
            pass
    assert time.perf_counter() - began < 1.0
    began = time.perf_counter()
    await asyncio.to_thread(queue.close, 0.5)
    assert time.perf_counter() - began < 2.0
