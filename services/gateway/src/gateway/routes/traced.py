"""The span of a request, around everything else: made where tracing is on.

A request that may change something is always sampled: people make few, and jobs begin with one. A read is sampled by
the trace's id, or as its caller says; one that is not is told all the same where its answer is a 5xx.
"""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.observability.spans import Attribute, Kind, Span, tracer
from common.observability.tracing import TRACEPARENT, Context, current, new_span, new_trace, parse_context

_HEADER = TRACEPARENT.encode()
_UNTRACED = frozenset({"/health/live", "/health/ready", "/metrics"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Traced:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _UNTRACED:
            await self._app(scope, receive, send)
            return
        span, status = _begin(scope), 0

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        token = current.set(span.context)
        try:
            await self._app(scope, receive, send_noting_status)
        finally:
            current.reset(token)
            _end(span, scope, status)


def _begin(scope: Scope) -> Span:
    given = next((value for name, value in scope["headers"] if name == _HEADER), None)
    caller = parse_context(given.decode("latin-1")) if given is not None else None
    if caller is not None:
        context = caller._replace(span=new_span())
    else:
        trace = new_trace()
        context = Context(trace, new_span(), scope["method"] not in _READS or tracer.samples(int(trace, 16)))
    return Span("", context, caller.span if caller else None, Kind.SERVER, started=time.time_ns())


def _end(span: Span, scope: Scope, status: int) -> None:
    failed = status == 0 or status >= 500
    if not span.context.sampled:
        if not failed:
            return
        span.context = span.context._replace(sampled=True)
    route, method = str(getattr(scope.get("route"), "path", "unmatched")), str(scope["method"])[:10]
    attributes: dict[str, Attribute] = {"http.route": route, "http.request.method": method}
    span.name, span.attributes, span.ended = f"{method} {route}", attributes, time.time_ns()
    if status:
        attributes["http.response.status_code"] = status
    if failed:
        span.error = str(status) if status else "cut off"
    tracer.told(span)
