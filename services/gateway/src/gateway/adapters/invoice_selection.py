"""A filter of invoices as SQL.

Two kinds of criteria: those that an index finds, and those that are checked row by row, newest first. No index serves
the second kind, because each would be written by every move of every invoice; so one look checks `LOOKED_AT` rows and
says where it stopped.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from common.invoice.stage import STATUS, Stage, Status
from gateway.adapters.conditions import Conditions
from gateway.domain.invoices import InvoiceFilter, Match, party_number

LOOKED_AT = 10_000

_ESCAPES = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
_SLACK = timedelta(hours=1)
_LAST_INSTANT = 2**48 - 1
# Ids tell the time: the range spares a walk from the newest row back to an old job (measured: 285 ms, then 1.4).
_IN_JOB = """job_id = {}
    AND id >= (SELECT uuidv7_floor(created_at - interval '1 hour') FROM jobs WHERE id = {})
    AND id < (
        SELECT uuidv7_floor(coalesce(listed_at, completed_at, now()) + interval '1 hour') FROM jobs WHERE id = {}
    )"""
_TEXTS = ("number", "invoice_id", "supplier", "supplier_name", "customer", "customer_name")

# One statement, and so one snapshot: a row that moves meanwhile is not left out between two pages. The edge is where a
# look that did not fill its page stopped; in a CASE it is looked for only then.
_LOOK = """
WITH page AS MATERIALIZED (
    SELECT {columns} FROM (SELECT * FROM invoices {found} ORDER BY id DESC LIMIT {most}) AS looked {checked}
    ORDER BY id DESC LIMIT {limit}
)
SELECT page.*, CASE WHEN (SELECT count(*) FROM page) < {limit} THEN (
    SELECT id FROM invoices {found} ORDER BY id DESC OFFSET {most} - 1 LIMIT 1
) END AS edge
FROM (SELECT) AS one LEFT JOIN page ON TRUE ORDER BY page.id DESC
"""


def look(
    columns: str, chosen: InvoiceFilter, match: Match, *, after: UUID | None, limit: int, looked_at: int
) -> tuple[str, list[Any]]:
    """A statement for the `limit` newest matches among the `looked_at` rows after a row, and its values.

    It answers at least one row: without a match one of NULLs. `edge` is NULL where the look reached the last row or
    filled its page.
    """
    found = _found(chosen, match, after)
    checked = _checked(chosen, match, found.values)
    sql = _LOOK.format(columns=columns, found=found.sql, checked=checked.sql, most=looked_at, limit=limit)
    return sql, found.values


def _found(chosen: InvoiceFilter, match: Match, after: UUID | None) -> Conditions:
    where = Conditions()
    status = chosen.status or (STATUS[chosen.stage] if chosen.stage else None)
    if chosen.stage is not None and STATUS[chosen.stage] is not status:
        where.add("FALSE")
    if status is not None:  # a constant, so that indexes over rows of one status serve a prepared statement
        where.add(f"status = '{Status(status).value}'")
    for column in ("number", "invoice_id"):
        where.equal(column, getattr(chosen, column))
    if chosen.q is not None and match is Match.WHOLE:
        where.add("(number = {} OR invoice_id = {})", chosen.q, chosen.q)
    if chosen.job_id is not None:
        where.add(_IN_JOB, *[chosen.job_id] * 3)
    if chosen.created_since is not None:
        where.add("id >= {}", _floor(chosen.created_since - _SLACK))
    if chosen.created_until is not None:
        where.add("id < {}", _floor(chosen.created_until + _SLACK))
    if after is not None:
        where.add("id < {}", after)
    return where


def _checked(chosen: InvoiceFilter, match: Match, values: list[Any]) -> Conditions:
    where = Conditions(values)
    if chosen.stage is not None and STATUS[chosen.stage] is Status.PENDING:  # elsewhere the status says as much
        where.add(f"stage = '{Stage(chosen.stage).value}'")
    for column in ("reason", "dossier", "direction", "kind", "currency", "amount"):
        where.equal(column, getattr(chosen, column))
    for role in ("supplier", "customer"):
        _party(where, role, getattr(chosen, role))
    for template, value in (
        ("amount >= {}", chosen.amount_min),
        ("amount <= {}", chosen.amount_max),
        ("issue_date >= {}", chosen.issued_since),
        ("issue_date <= {}", chosen.issued_until),
        ("created_at >= {}", chosen.created_since),
        ("created_at < {}", chosen.created_until),
    ):
        if value is not None:
            where.add(template, value)
    if chosen.q is not None and match is Match.PART:
        where.add(f"({' OR '.join(f'{column} ILIKE {{}}' for column in _TEXTS)})", *[_part(chosen.q)] * len(_TEXTS))
    return where


def _party(where: Conditions, role: str, text: str | None) -> None:
    if text is not None:
        where.add(f"({role} = {{}} OR {role}_name ILIKE {{}})", party_number(text) or text, _part(text))


def _part(text: str) -> str:
    return f"%{text.translate(_ESCAPES)}%"


def _floor(at: datetime) -> UUID:
    """The lowest id of that instant."""
    return UUID(int=min(max(int(at.timestamp() * 1000), 0), _LAST_INSTANT) << 80)
