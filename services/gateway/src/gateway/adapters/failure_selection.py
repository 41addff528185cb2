"""A selection of failures as SQL: what the list, the archive and a replay have in common."""

from collections.abc import Sequence
from typing import Any

from gateway.adapters.conditions import Conditions
from gateway.domain.causes import UNREADABLE
from gateway.domain.failures import Selection

CAUSE = "failure_fingerprint(reason, error_message)"

INVOICE = f"""id, 'invoice' AS kind, processed_at AS at, {CAUSE} AS "group",
    CASE WHEN archived_at IS NULL THEN status ELSE 'archived' END AS status, reason, error_message AS error, version,
    invoice_id, number, job_id, dossier, supplier_name, currency, amount, maybe_sent, NULL AS topic,
    NULL::int AS partition, NULL::bigint AS "offset", NULL AS consumer_group"""
RECORD = f"""id, 'record' AS kind, created_at AS at, fingerprint AS "group", status, '{UNREADABLE}' AS reason,
    cause AS error, version, NULL AS invoice_id, NULL AS number, NULL::uuid AS job_id, NULL AS dossier,
    NULL AS supplier_name, NULL AS currency, NULL::numeric AS amount, FALSE AS maybe_sent, topic, partition,
    record_offset AS "offset", consumer_group"""
"""The columns of a failure, from `invoices` and from `dead_letters`."""

_ESCAPES = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def invoices_where(chosen: Selection, values: list[Any]) -> Conditions:
    """Rows named by their ids are chosen wherever they stand, so that an answer can say so."""
    where = Conditions(values)
    if chosen.ids is not None:
        where.add("id = ANY({}::uuid[])", list(chosen.ids))
        return where
    where.add("status = 'failed'")
    where.add("archived_at IS NOT NULL" if chosen.archived else "archived_at IS NULL")
    where.equal(CAUSE, chosen.group)
    for column in ("reason", "job_id", "dossier"):
        where.equal(column, getattr(chosen, column))
    _between(where, "processed_at", chosen)
    return where


def records_where(chosen: Selection, values: list[Any]) -> Conditions:
    """As `invoices_where`."""
    where = Conditions(values)
    if chosen.ids is not None:
        where.add("id = ANY({}::uuid[])", list(chosen.ids))
        return where
    where.add("status = 'archived'" if chosen.archived else "status = 'dead'")
    where.equal("fingerprint", chosen.group)
    where.equal("topic", chosen.topic)
    if chosen.reason not in {None, UNREADABLE}:
        where.add("FALSE")
    _between(where, "created_at", chosen)
    return where


def invoices_text(where: Conditions, text: str) -> None:
    """The invoice's number or the source's id, exactly, or a part of the error."""
    where.add("(number = {} OR invoice_id = {} OR error_message ILIKE {})", text, text, f"%{text.translate(_ESCAPES)}%")


def records_text(where: Conditions, text: str) -> None:
    where.add("(record_key = {} OR cause ILIKE {})", text.encode(), f"%{text.translate(_ESCAPES)}%")


def _between(where: Conditions, column: str, chosen: Selection) -> None:
    if chosen.since is not None:
        where.add(f"{column} >= {{}}", chosen.since)
    if chosen.until is not None:
        where.add(f"{column} < {{}}", chosen.until)


def everything(chosen: Selection, values: list[Any], *, columns: tuple[str, str] = (INVOICE, RECORD)) -> str:
    """All of a selection, as one query without order."""
    parts: list[str] = []
    if chosen.invoices:
        where = invoices_where(chosen, values)
        if chosen.text is not None:
            invoices_text(where, chosen.text)
        parts.append(f"SELECT {columns[0]} FROM invoices {where.sql}")
    if chosen.records:
        where = records_where(chosen, values)
        if chosen.text is not None:
            records_text(where, chosen.text)
        parts.append(f"SELECT {columns[1]} FROM dead_letters {where.sql}")
    return " UNION ALL ".join(parts) or f"SELECT {columns[0]} FROM invoices WHERE FALSE"


def newest(chosen: Selection, values: list[Any], *, after: Sequence[Any] | None, limit: int) -> str:
    """One page, newest first. A text is looked for among the newest `SEARCHED`, so that a page costs what it may."""
    parts: list[str] = []
    if chosen.invoices:
        parts.append(_newest_invoices(chosen, values, after, limit))
    if chosen.records:
        parts.append(_newest_records(chosen, values, after, limit))
    union = " UNION ALL ".join(f"({part})" for part in parts) or f"SELECT {INVOICE} FROM invoices WHERE FALSE"
    return f"SELECT * FROM ({union}) AS found ORDER BY at DESC, id DESC LIMIT {limit:d}"


SEARCHED = 10_000


def _newest_invoices(chosen: Selection, values: list[Any], after: Sequence[Any] | None, limit: int) -> str:
    where, source = invoices_where(chosen, values), "invoices"
    if chosen.text is not None:
        source = f"(SELECT * FROM invoices {where.sql} ORDER BY processed_at DESC, id DESC LIMIT {SEARCHED}) AS newest"
        where = Conditions(values)
        invoices_text(where, chosen.text)
    if after is not None:
        where.add("(processed_at, id) < ({}, {})", *after)
    return f"SELECT {INVOICE} FROM {source} {where.sql} ORDER BY processed_at DESC, id DESC LIMIT {limit:d}"


def _newest_records(chosen: Selection, values: list[Any], after: Sequence[Any] | None, limit: int) -> str:
    where, source = records_where(chosen, values), "dead_letters AS letters"
    if chosen.text is not None:
        source = (
            f"(SELECT * FROM dead_letters {where.sql} ORDER BY created_at DESC, id DESC LIMIT {SEARCHED}) AS newest"
        )
        where = Conditions(values)
        records_text(where, chosen.text)
    if after is not None:
        where.add("(created_at, id) < ({}, {})", *after)
    return f"SELECT {RECORD} FROM {source} {where.sql} ORDER BY created_at DESC, id DESC LIMIT {limit:d}"
