"""Spans of statements, where the open span is sampled; elsewhere a look at a context variable."""

import re
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Any

from asyncpg.connection import LoggedQuery

from common.observability.ecs import told
from common.observability.spans import Kind, Span, tracer
from common.observability.tracing import current, new_span

_TARGET = re.compile(r"\b(?:FROM|INTO|UPDATE|JOIN)\s+([a-z_]+)\b(?![(),])")
_VERB = re.compile(r"(?<!FOR )(?<!KEY )\b(INSERT|UPDATE|DELETE)\b")
_LONGEST_TEXT = 1_000
_SILENT = frozenset({"BEGIN;", "ROLLBACK;"})
_CATALOGUE = "pg_catalog.pg_type"
"""The driver asks for a type once a connection."""

_untraced = nullcontext()


def statements_traced(connection: Any) -> AbstractContextManager[None]:
    """While it lasts each statement on `connection` is a span; their values are never told."""
    context = current.get()
    return _logging(connection) if context is not None and context.sampled and tracer.on else _untraced


@contextmanager
def _logging(connection: Any) -> Generator[None]:
    connection.add_query_logger(_tell)
    try:
        yield
    finally:
        connection.remove_query_logger(_tell)


def _tell(query: LoggedQuery) -> None:
    above = current.get()
    if above is None or query.query in _SILENT or _CATALOGUE in query.query:
        return
    ended = time.time_ns()
    span = Span(
        summary(query.query),
        above._replace(span=new_span()),
        above.span,
        Kind.CLIENT,
        started=ended - int(query.elapsed * 1e9),
        ended=ended,
        attributes={"db.system.name": "postgresql", "db.query.text": query.query.strip()[:_LONGEST_TEXT]},
    )
    if query.exception is not None:
        span.error = f"{type(query.exception).__name__}: {told(str(query.exception))}"
    tracer.told(span)


@lru_cache(maxsize=512)
def summary(sql: str) -> str:
    """What a statement does to which table, for people: `UPDATE invoices`."""
    verb = _VERB.search(sql)
    target = _TARGET.search(sql, verb.start() if verb else 0)
    words = verb[1] if verb else sql.split(None, 1)[0].strip(";").upper()
    return f"{words} {target[1]}" if target else words
