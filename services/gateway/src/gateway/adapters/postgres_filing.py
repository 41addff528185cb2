"""Putting a row in its place: what its document says of itself in the columns, and its key in its hand."""

from uuid import UUID

from common.db.pool import Connection
from ubl.identity import Identity, reference
from ubl.placing import Placed, clip, currency_code

_TAKE = """
INSERT INTO invoice_keys (dossier, dedupe_key, holder, generation) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
_HOLDER = "SELECT holder FROM invoice_keys WHERE dossier = $1 AND dedupe_key = $2"
_FREE = """
DELETE FROM invoice_keys k USING invoices i
WHERE i.id = $1 AND k.dossier = i.dossier AND k.dedupe_key = i.dedupe_key AND k.holder = i.id
  AND (k.dossier, k.dedupe_key) <> ($2, $3) AND NOT i.maybe_sent
"""
_COLUMNS = """
UPDATE invoices SET dossier = $2, direction = $3, kind = $4, number = $5, issue_date = $6, supplier = $7,
    supplier_name = $8, customer = $9, customer_name = $10, currency = $11, amount = $12, dedupe_key = $13,
    content_sha256 = $14, reference = $15, duplicate_of = NULL, updated_at = now()
WHERE id = $1
"""


async def take_key(connection: Connection, row_id: UUID, dossier: str, key: str, generation: int) -> UUID:
    """The holder of the key: this row, where nobody else has it. The row must be locked."""
    await connection.execute(_TAKE, dossier, key, row_id, generation)
    holder: UUID = await connection.fetchval(_HOLDER, dossier, key)
    return holder


async def file(connection: Connection, row_id: UUID, placed: Placed) -> UUID:
    """Take the place's key and write the columns; a holder that is another row has the key, and nothing is written.

    A key that the row held for what its document said before becomes free: it was never sent under it.
    """
    generation = await connection.fetchval("SELECT generation FROM invoices WHERE id = $1", row_id)
    holder = await take_key(connection, row_id, placed.dossier, placed.key, generation)
    if holder == row_id:
        await connection.execute(_FREE, row_id, placed.dossier, placed.key)
        await connection.execute(_COLUMNS, *_values(row_id, placed, placed.identity, generation))
    return holder


def _values(row_id: UUID, placed: Placed, identity: Identity, generation: int) -> tuple[object, ...]:
    return (
        row_id,
        placed.dossier,
        placed.direction.value,
        identity.kind.value,
        clip(identity.number),
        identity.issue_date,
        clip(identity.supplier.key),
        clip(identity.supplier.name),
        clip(identity.customer.key),
        clip(identity.customer.name),
        currency_code(identity.currency),
        identity.payable_amount,
        placed.key,
        identity.content_sha256,
        reference(placed.dossier, placed.key, generation, identity.content_sha256),
    )
