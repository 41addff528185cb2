"""`invoice_keys`: the one guard against sending the same invoice twice, whatever route it came by."""

from collections.abc import Sequence
from uuid import UUID

from common.db.pool import Connection, Row
from common.invoice.stage import Reason, Stage, parse_stage
from fetcher.adapters.postgres_rows import NewRow
from fetcher.domain import DuplicateOf, ForceRefused, Fresh, Held, Holder, Judgement, judge
from fetcher.planning import Plan

Key = tuple[str, str]
"""(dossier, dedupe key)"""

_TAKE = """
INSERT INTO invoice_keys (dossier, dedupe_key, holder, generation)
SELECT t.dossier, t.dedupe_key, t.holder, 0 FROM unnest($1::text[], $2::text[], $3::uuid[])
    AS t(dossier, dedupe_key, holder)
ON CONFLICT DO NOTHING
RETURNING dossier, dedupe_key
"""

_HOLDERS = """
SELECT k.dossier, k.dedupe_key, k.generation, h.id, h.stage, h.reason, h.maybe_sent, h.content_sha256
FROM unnest($1::text[], $2::text[]) AS t(dossier, dedupe_key)
JOIN invoice_keys k ON k.dossier = t.dossier AND k.dedupe_key = t.dedupe_key
JOIN invoices h ON h.id = k.holder
ORDER BY h.id
"""
# The key is locked so that nobody else takes it over, the holder so that it cannot end meanwhile.
_LOCKED_HOLDERS = f"{_HOLDERS} FOR SHARE OF h FOR UPDATE OF k"

_TAKE_OVER = """
UPDATE invoice_keys k SET holder = t.holder, generation = t.generation
FROM unnest($1::text[], $2::text[], $3::uuid[], $4::int[]) AS t(dossier, dedupe_key, holder, generation)
WHERE k.dossier = t.dossier AND k.dedupe_key = t.dedupe_key
"""


async def resolve(connection: Connection, planned: Sequence[tuple[UUID, Plan]], *, force: bool) -> list[NewRow]:
    """Look at each planned row's key and say where the row starts. Takes and takes over keys."""
    holders = await _take(connection, _first_per_key(planned))
    rows, takeovers = judge_in_order(planned, holders, force=force)
    await _take_over(connection, takeovers)
    return rows


def judge_in_order(
    planned: Sequence[tuple[UUID, Plan]], holders: dict[Key, Holder], *, force: bool
) -> tuple[list[NewRow], list[tuple[Key, NewRow]]]:
    """Where each row starts, and which of them take a key over from `holders`; those who get a key join them."""
    rows: list[NewRow] = []
    takeovers: list[tuple[Key, NewRow]] = []
    for row_id, plan in planned:
        key = key_of(plan)
        if key is None:
            rows.append(NewRow(row_id, plan, plan.stage, plan.reason, plan.error))
            continue
        judgement = judge(_content(plan), holders.get(key), force=force)
        row = _judged(row_id, plan, judgement)
        rows.append(row)
        if isinstance(judgement, Fresh):
            if judgement.takes_over:
                takeovers.append((key, row))
            holders[key] = Holder(row_id, Stage.FETCHED, False, _content(plan), row.generation)
    return rows, takeovers


async def holders_of(connection: Connection, keys: Sequence[Key]) -> dict[Key, Holder]:
    """Who holds each of `keys` at this moment: nothing is taken and nothing locked."""
    rows = await connection.fetch(_HOLDERS, [key[0] for key in keys], [key[1] for key in keys])
    return {(row["dossier"], row["dedupe_key"]): _holder(row) for row in rows}


async def lock_holder(connection: Connection, key: Key) -> Holder | None:
    """Who holds `key`, locked as in `resolve`."""
    rows = await connection.fetch(_LOCKED_HOLDERS, [key[0]], [key[1]])
    return _holder(rows[0]) if rows else None


async def take_over(connection: Connection, key: Key, row_id: UUID, generation: int) -> None:
    """Give `key`, which `lock_holder` locked, to another row."""
    await connection.execute(_TAKE_OVER, [key[0]], [key[1]], [row_id], [generation])


async def _take(connection: Connection, ways: dict[Key, UUID]) -> dict[Key, Holder]:
    if not ways:
        return {}
    ordered = sorted(ways)
    columns = [key[0] for key in ordered], [key[1] for key in ordered]
    taken = await connection.fetch(_TAKE, *columns, [ways[key] for key in ordered])
    mine = {(row["dossier"], row["dedupe_key"]) for row in taken}
    others = [key for key in ordered if key not in mine]
    if not others:
        return {}
    rows = await connection.fetch(_LOCKED_HOLDERS, [key[0] for key in others], [key[1] for key in others])
    return {(row["dossier"], row["dedupe_key"]): _holder(row) for row in rows}


async def _take_over(connection: Connection, takeovers: Sequence[tuple[Key, NewRow]]) -> None:
    if takeovers:
        await connection.execute(
            _TAKE_OVER,
            [key[0] for key, _ in takeovers],
            [key[1] for key, _ in takeovers],
            [row.id for _, row in takeovers],
            [row.generation for _, row in takeovers],
        )


def _holder(row: Row) -> Holder:
    return Holder(
        row["id"],
        parse_stage(row["stage"]),
        row["maybe_sent"],
        row["content_sha256"],
        row["generation"],
        cancelled=row["reason"] == Reason.CANCELLED,
    )


def _judged(row_id: UUID, plan: Plan, judgement: Judgement) -> NewRow:
    match judgement:
        case Fresh(generation=generation):
            return NewRow(row_id, plan, Stage.FETCHED, None, None, generation)
        case DuplicateOf(holder=holder):
            return NewRow(row_id, plan, Stage.DUPLICATE, None, None, holder=holder)
        case Held(reason=reason, holder=holder):
            return NewRow(row_id, plan, Stage.HELD, reason, explain(reason), holder=holder)
        case ForceRefused(why=why):
            return NewRow(row_id, plan, Stage.FAILED, Reason.FORCE_REFUSED, why)


def explain(reason: Reason) -> str:
    """Why a row is held, for people."""
    if reason is Reason.CHANGED_AFTER_SENT:
        return "another version of this invoice was already sent"
    return "another version of this invoice is on its way"


def _first_per_key(planned: Sequence[tuple[UUID, Plan]]) -> dict[Key, UUID]:
    ways: dict[Key, UUID] = {}
    for row_id, plan in planned:
        if (key := key_of(plan)) is not None:
            ways.setdefault(key, row_id)
    return ways


def key_of(plan: Plan) -> Key | None:
    """None where the document could not be placed."""
    return (plan.dossier, plan.key) if plan.dossier is not None and plan.key is not None else None


def _content(plan: Plan) -> bytes:
    return plan.identity.content_sha256 if plan.identity else b""
