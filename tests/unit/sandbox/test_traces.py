"""The receiver of spans: what OpenTelemetry's exporter sends is kept, and read back by trace."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.observability.encoding import Encoder
from common.observability.spans import Kind, Span
from common.observability.tracing import Context
from sandbox.traces import Traces
from sandbox.web import Reply, Request
from tests.unit.sandbox.calls import content, get, reply

TRACE = "0af7651916cd43dd8448eb211c80319c"
ROOT = Span("POST /x", Context(TRACE, "00f067aa0ba902b7", sampled=True), None, Kind.SERVER, 1_000, 9_000)
CHILD = Span(
    "send", Context(TRACE, "b7ad6b7169203331", sampled=True), ROOT.context.span, Kind.CLIENT, 2_000, 3_000,
    {"text": "x", "number": 7, "share": 0.5, "yes": True}, [Context("1" * 32, "2" * 16, sampled=True)], "refused",
)  # fmt: skip


@pytest.fixture
def traces(tmp_path: Path) -> Iterator[Traces]:
    traces = Traces(tmp_path / "traces.jsonl")
    yield traces
    traces.close()


def body(*spans: Span) -> bytes:
    return Encoder({"service.name": "sender"})(spans)


def told(traces: Traces, raw: bytes, **headers: str) -> Reply:
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return reply(traces.routes()(Request("POST", "/v1/traces", {}, named, raw)))


def test_spans_are_read_back_as_they_were_told(traces: Traces) -> None:
    answer = told(traces, body(CHILD, ROOT))
    assert (answer.status, answer.content_type) == (200, "application/x-protobuf")
    root, child = content(get(traces.routes(), f"/sandbox/traces/{TRACE}"))["items"]
    assert (root["name"], root["parent_id"], root["kind"], root["error"]) == ("POST /x", None, "server", None)
    assert child == {
        "trace_id": TRACE, "span_id": CHILD.context.span, "parent_id": ROOT.context.span, "service": "sender",
        "name": "send", "kind": "client", "start": 2_000, "end": 3_000, "attributes": CHILD.attributes,
        "links": [{"trace_id": "1" * 32, "span_id": "2" * 16}], "error": "refused",
    }  # fmt: skip


def test_a_span_that_is_told_twice_is_there_once(traces: Traces) -> None:
    told(traces, body(ROOT))
    told(traces, gzip.compress(body(ROOT)), content_encoding="gzip")
    assert len(traces.spans(TRACE)) == 1
    assert traces.spans("3" * 32) == []


def test_what_was_told_outlives_the_process_and_half_a_line_does_not(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    first = Traces(path)
    told(first, body(ROOT))
    first.close()
    with path.open("ab") as file:
        file.write(b'{"trace_id": "')
    second = Traces(path)
    told(second, body(CHILD))
    assert [span["name"] for span in second.spans(TRACE)] == ["POST /x", "send"]
    second.close()


@pytest.mark.parametrize(("raw", "encoding"), [(b"\xff\xff", ""), (b"no gzip", "gzip")])
def test_what_is_no_export_is_refused(traces: Traces, raw: bytes, encoding: str) -> None:
    assert told(traces, raw, content_encoding=encoding).status == 400
