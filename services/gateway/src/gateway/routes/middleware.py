"""Pure ASGI middleware, from the outside in: correlation and headers, observation, faults, body limit."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from time import perf_counter
from typing import TypeAlias
from uuid import uuid4

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.observability import metrics
from common.observability.tracing import accept_correlation_id, correlation_id, parse_traceparent, trace_id
from gateway.routes.codes import ErrorCode
from gateway.routes.envelopes import Envelopes
from gateway.routes.faults import DEFECT, explain

log = structlog.get_logger()

CORRELATION_HEADER = "X-Correlation-ID"
_CORRELATION, _CACHE = CORRELATION_HEADER.lower().encode(), b"cache-control"
_OURS, _OURS_IN_PRIVATE = frozenset({_CORRELATION}), frozenset({_CORRELATION, _CACHE})
RawHeader: TypeAlias = tuple[bytes, bytes]
"""As ASGI has them: the name in small letters."""
_NO_STORE: RawHeader = (_CACHE, b"no-store")
LONGEST_BODY = 2 * 1024 * 1024
"""Room for 1,000 source ids of 255 characters."""
LONGEST_REQUEST = 10.0
"""Seconds; a caller that sends its body slower is cut off. A database that hangs adds ten until asyncpg lets it go."""
LONGEST_STREAM = 900.0
"""Seconds for a file that is streamed: a reader that stops reading is let go."""

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})
_PLAIN = _QUIET | {"/openapi.json"}
"""Starlette's own routes, which leave no trace in the scope."""


class Correlation:
    """Every request has an id: the caller's where it is harmless, else a new one; every answer carries it."""

    def __init__(self, app: ASGIApp, *, behind_tls: bool) -> None:
        self._app = app
        fixed = {**SECURITY_HEADERS, **(HSTS if behind_tls else {})}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in fixed.items()]
        self._names = frozenset(name for name, _ in self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope)
        current = accept_correlation_id(given.get(CORRELATION_HEADER)) or str(uuid4())
        private = scope["path"].startswith(("/api", "/auth"))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._completed(message["headers"], current, private=private)
            await send(message)

        of_correlation = correlation_id.set(current)
        of_trace = trace_id.set(parse_traceparent(given.get("traceparent")))
        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            correlation_id.reset(of_correlation)
            trace_id.reset(of_trace)

    def _completed(self, given: Iterable[RawHeader], current: str, *, private: bool) -> list[RawHeader]:
        ours = _OURS_IN_PRIVATE if private else _OURS
        kept = [header for header in given if header[0] not in ours]
        named = {name for name, _ in kept}
        fixed = self._headers
        if not self._names.isdisjoint(named):  # a download may be stricter
            fixed = [header for header in fixed if header[0] not in named]
        return [*kept, *fixed, (_CORRELATION, current.encode()), *([_NO_STORE] if private else [])]


class Observed:
    """Counts, times and logs each request by its route's template, never by its path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._log = log.bind()  # the one of the module is made anew for each line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, endless = perf_counter(), 0, False

        async def send_noting_status(message: Message) -> None:
            nonlocal status, endless
            if message["type"] == "http.response.start":
                status, endless = message["status"], _begins_stream(message)
            await send(message)

        try:
            await self._app(scope, receive, send_noting_status)
        finally:
            seconds = perf_counter() - started
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            route = _template(scope)
            metrics.HTTP_REQUESTS.labels(method, route, str(status)).inc()
            if not endless:  # how long somebody watched is no latency
                metrics.HTTP_REQUEST_SECONDS.labels(method, route).observe(seconds)
            if route not in _QUIET:
                self._log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


_EVENTS = "text/event-stream"


def _begins_events(message: Message) -> bool:
    """Server-sent events take as long as somebody watches."""
    return _begins_stream(message) and Headers(raw=message["headers"]).get("content-type", "").startswith(_EVENTS)


def _begins_stream(message: Message) -> bool:
    """An answer that does not say how long it is takes as long as somebody watches or reads."""
    if message["type"] != "http.response.start" or message["status"] != HTTPStatus.OK:
        return False
    return "content-length" not in Headers(raw=message["headers"])


def _template(scope: Scope) -> str:
    if scope["path"] in _PLAIN:
        return str(scope["path"])
    return str(getattr(scope.get("route"), "path", "unmatched"))


class Faults:
    """Whatever goes wrong inside leaves as an error envelope; a request that takes too long as a 503."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        envelopes: Envelopes,
        longest: float = LONGEST_REQUEST,
        longest_stream: float = LONGEST_STREAM,
    ) -> None:
        self._app = app
        self._envelopes = envelopes
        self._longest = longest
        self._longest_stream = longest_stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_noting_start(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            if _begins_stream(message):
                now = asyncio.get_running_loop().time()
                limit.reschedule(None if _begins_events(message) else now + self._longest_stream)
            await send(message)

        try:
            async with asyncio.timeout(self._longest) as limit:
                await self._app(scope, receive, send_noting_start)
        except Exception as error:
            if begun:  # too late for an envelope: the server cuts the connection, which the caller notices
                raise
            refusal = explain(error) or DEFECT
            if refusal is DEFECT:
                log.exception("defect")
            elif refusal.code is ErrorCode.SERVICE_UNAVAILABLE:
                log.warning("unavailable", error=str(error) or type(error).__name__)
            await self._envelopes.failure(refusal)(scope, receive, send)


class BodyLimit:
    """No request body above `longest` bytes, whatever its headers claim."""

    def __init__(self, app: ASGIApp, *, longest: int = LONGEST_BODY) -> None:
        self._app = app
        self._longest = longest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        claimed = Headers(scope=scope).get("content-length", "")
        if claimed.isdecimal() and int(claimed) > self._longest:
            raise HTTPException(413)
        seen = 0

        async def receive_counting() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._longest:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_counting, send)
