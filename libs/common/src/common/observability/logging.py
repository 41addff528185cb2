"""Structured logs: an event and fields, one JSON object a line; never a document, never personal data."""

import json
import logging
import sys
from typing import Any, cast

import orjson
import structlog

from common.observability.ecs import Line, ecs

_CHATTY = ("aiokafka", "httpx", "httpcore", "uvicorn.error", "faststream", "opentelemetry")


def configure_logging(*, service: str, level: str = "info", fmt: str = "json") -> None:
    """Set up structlog and the standard library's root logger to write the same lines to standard output."""
    numeric = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    if hasattr(sys.stdout, "reconfigure"):
        cast("Any", sys.stdout).reconfigure(errors="backslashreplace")  # a line must never fail its request
    own, foreign = (_for_people(), _for_people()) if fmt == "console" else _for_machines(service)
    structlog.configure(
        processors=own,
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_FOREIGN,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *foreign],
            keep_exc_info=False,
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


def _for_machines(service: str) -> tuple[list[Any], list[Any]]:
    line = ecs(service)
    return [_resolve_error, line, _rendered], [line, _rendered]


def _for_people() -> list[Any]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.dev.ConsoleRenderer(colors=False),
    ]


def _resolve_error(_: Any, __: str, event: Line) -> Line:
    """`exc_info=True` is the error that is being handled."""
    if event.get("exc_info") is True:
        event["exc_info"] = sys.exc_info()[1]
    return event


def _with_error(_: Any, __: str, event: Line) -> Line:
    record: logging.LogRecord = event["_record"]
    if record.exc_info and record.exc_info[1] is not None:
        event["exc_info"] = record.exc_info[1]
    return event


_FOREIGN: list[Any] = [structlog.stdlib.add_logger_name, _with_error]
"""What a line of a library needs besides."""


def _rendered(_: Any, __: str, line: Line) -> str:
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # half a character, or a number beyond 64 bits
        return json.dumps(line, default=str)
