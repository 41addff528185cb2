"""A receiver of OpenTelemetry's spans, OTLP over HTTP: what was told is kept, and read back by trace."""

import gzip
import os
import zlib
from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from sandbox.web import Plan, Reply, Request, Routes, error, json_reply

_PROTOBUF = "application/x-protobuf"
_KINDS = ("internal", "internal", "server", "client", "producer", "consumer")
_READ = "/sandbox/traces/"


class _Place(NamedTuple):
    offset: int
    length: int


class Traces:
    """`POST /v1/traces` keeps spans in `path`, one JSON line each; `GET /sandbox/traces/ID` lists those of a trace.

    A span that is told again takes the place of the one before.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._places: defaultdict[str, list[_Place]] = defaultdict(list)
        self._end = 0
        self._load(path)

    def routes(self) -> Routes:
        return Routes({("POST", "/v1/traces"): self._take, ("GET", f"{_READ}*"): self._show})

    def close(self) -> None:
        os.close(self._descriptor)

    def spans(self, trace_id: str) -> list[dict[str, Any]]:
        """Those of one trace, by their beginning."""
        lines = (os.pread(self._descriptor, length, offset) for offset, length in self._places.get(trace_id, ()))
        newest = {span["span_id"]: span for span in map(orjson.loads, lines)}
        return sorted(newest.values(), key=lambda span: (span["start"], span["end"], span["span_id"]))

    def _load(self, path: Path) -> None:
        """Of a process that was killed the last line may be half a one: it is cut off."""
        with path.open("rb") as kept:
            for line in kept:
                if not line.endswith(b"\n"):
                    os.ftruncate(self._descriptor, self._end)
                    return
                self._remember(orjson.loads(line)["trace_id"], len(line))

    def _remember(self, trace_id: str, length: int) -> None:
        self._places[trace_id].append(_Place(self._end, length))
        self._end += length

    def _take(self, request: Request) -> Plan:
        try:
            zipped = request.headers.get(b"content-encoding") == b"gzip"
            told = ExportTraceServiceRequest.FromString(gzip.decompress(request.body) if zipped else request.body)
        except (DecodeError, OSError, EOFError, zlib.error):
            return error(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", "this is no ExportTraceServiceRequest")
        for span in spans_of(told):
            line = orjson.dumps(span) + b"\n"
            os.write(self._descriptor, line)
            self._remember(span["trace_id"], len(line))
        return Reply(HTTPStatus.OK, ExportTraceServiceResponse().SerializeToString(), _PROTOBUF)

    def _show(self, request: Request) -> Plan:
        return json_reply({"items": self.spans(request.path.removeprefix(_READ))})


def spans_of(told: ExportTraceServiceRequest) -> Iterator[dict[str, Any]]:
    """Flat, with ids in hex and times in nanoseconds since 1970."""
    for resource in told.resource_spans:
        of_process = _attributes(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _span(span, str(of_process.get("service.name", "")))


def _span(span: Span, service: str) -> dict[str, Any]:
    failed = span.status.code == Status.STATUS_CODE_ERROR
    return {
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_id": span.parent_span_id.hex() or None,
        "service": service,
        "name": span.name,
        "kind": _KINDS[span.kind],
        "start": span.start_time_unix_nano,
        "end": span.end_time_unix_nano,
        "attributes": _attributes(span.attributes),
        "links": [{"trace_id": link.trace_id.hex(), "span_id": link.span_id.hex()} for link in span.links],
        "error": (span.status.message or "error") if failed else None,
    }


def _attributes(pairs: Any) -> dict[str, Any]:
    found: list[KeyValue] = list(pairs)
    return {pair.key: _value(pair.value) for pair in found}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind in {"string_value", "bool_value", "int_value", "double_value"} else None
