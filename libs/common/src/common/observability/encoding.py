"""Spans as OTLP has them on the wire.

Straight from ours: by way of the objects of OpenTelemetry's SDK a span costs 33 us, so 9 (measured).
"""

from collections.abc import Iterable, Mapping

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2 as otlp

from common.observability.spans import Attribute, Span

_SCOPE = InstrumentationScope(name="clearfacts")


class Encoder:
    """`process`: what is said of this process with every batch."""

    def __init__(self, process: Mapping[str, Attribute]) -> None:
        self._resource = Resource(attributes=_pairs(process))

    def __call__(self, spans: Iterable[Span]) -> bytes:
        scope = otlp.ScopeSpans(scope=_SCOPE, spans=map(_span, spans))
        told = otlp.ResourceSpans(resource=self._resource, scope_spans=[scope])
        return ExportTraceServiceRequest(resource_spans=[told]).SerializeToString()


def _span(span: Span) -> otlp.Span:
    trace, own, _ = span.context
    made = otlp.Span(
        trace_id=bytes.fromhex(trace),
        span_id=bytes.fromhex(own),
        parent_span_id=bytes.fromhex(span.parent) if span.parent else b"",
        name=span.name,
        kind=otlp.Span.SpanKind.ValueType(span.kind + 1),  # 0 is "unspecified"
        start_time_unix_nano=span.started,
        end_time_unix_nano=span.ended,
        attributes=_pairs(span.attributes),
        links=[
            otlp.Span.Link(trace_id=bytes.fromhex(link.trace), span_id=bytes.fromhex(link.span)) for link in span.links
        ],
    )
    if span.error is not None:
        made.status.code = otlp.Status.STATUS_CODE_ERROR
        made.status.message = span.error
    return made


def _pairs(attributes: Mapping[str, Attribute]) -> list[KeyValue]:
    return [KeyValue(key=name, value=_value(value)) for name, value in attributes.items()]


def _value(value: Attribute) -> AnyValue:
    match value:
        case str():
            return AnyValue(string_value=value)
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
