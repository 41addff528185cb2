"""Structured logs: an event and fields, one JSON object a line; never a document, never personal data."""

import json
import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from functools import cache, lru_cache
from typing import Any

import structlog

from common.observability.tracing import correlation_id, trace_id

_SECRET = re.compile(r"password|token|secret|authorization|cookie|webhook_url", re.IGNORECASE)
_CHATTY = ("aiokafka", "httpx", "httpcore", "uvicorn.error", "faststream")


def configure_logging(*, service: str, level: str = "info", fmt: str = "json") -> None:
    """Set up structlog and the standard library's root logger to write the same lines to standard output."""
    numeric = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    renderer: Any = structlog.dev.ConsoleRenderer(colors=False) if fmt == "console" else _json()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_trace,
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        ),
    )
    handler.addFilter(RateLimit(per_second=2.0))
    logging.basicConfig(handlers=[handler], level=numeric, force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(numeric, logging.WARNING))


class RateLimit(logging.Filter):
    """At most `per_second` lines of one logger and message template; a dead broker writes a hundred a second."""

    def __init__(self, per_second: float) -> None:
        super().__init__()
        self._gap = 1.0 / per_second
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key = (record.name, str(record.msg)[:80])
        if record.created - self._last.get(key, 0.0) < self._gap:
            return False
        if len(self._last) > 1000:
            self._last.clear()
        self._last[key] = record.created
        return True


def _json() -> Any:
    return structlog.processors.JSONRenderer(serializer=_rendered)


def _rendered(event: dict[str, Any], default: Callable[[Any], Any]) -> str:
    return _encoder(default).encode(event)


@cache  # `json.dumps` makes one for each line, which costs as much as rendering it
def _encoder(default: Callable[[Any], Any]) -> json.JSONEncoder:
    return json.JSONEncoder(ensure_ascii=True, default=default)


def _with_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if (correlation := correlation_id.get()) is not None:
        event.setdefault("correlation_id", correlation)
    if (trace := trace_id.get()) is not None:
        event.setdefault("trace_id", trace)
    return event


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event:
        if _is_secret(name):
            event[name] = "***"
    return event


@lru_cache(maxsize=4096)
def _is_secret(field: str) -> bool:
    return _SECRET.search(field) is not None
