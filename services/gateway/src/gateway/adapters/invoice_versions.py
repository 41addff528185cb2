"""The documents of rows, and how two of them differ."""

from uuid import UUID

from common.db.pool import Database
from gateway.adapters.ubl_comparison import Comparing
from gateway.domain.held import Comparison, OtherVersion

HOLDER = "(SELECT k.holder FROM invoice_keys k WHERE k.dossier = i.dossier AND k.dedupe_key = i.dedupe_key)"
"""Who has the place of `invoices i`."""
CONTENT = "coalesce(raw, convert_to(ubl_data, 'UTF8'))"
"""The original bytes: `raw` is there where they are not what the text is."""

_OTHER = """
SELECT id, invoice_id, number, status, stage, reason, issue_date, currency, amount, modified_at, processed_at,
    clearfacts_response->>'uuid' AS uuid FROM invoices WHERE id = $1
"""
_CONTENT = f"SELECT {CONTENT} FROM invoices WHERE id = $1"


class Versions:
    def __init__(self, database: Database, compare: Comparing) -> None:
        self._database = database
        self._compare = compare

    async def other(self, row_id: UUID, *, holder: UUID | None, duplicate_of: UUID | None) -> OtherVersion | None:
        """The holder of the row's key; where it holds that itself, the row that it was compared with."""
        other = holder if holder not in {None, row_id} else duplicate_of
        found = await self._database.fetchrow(_OTHER, other) if other is not None else None
        return OtherVersion(**dict(found)) if found else None

    async def difference(self, other: OtherVersion, row_id: UUID) -> Comparison:
        """From the other version to this one."""
        old, new = [await self._database.fetchval(_CONTENT, id_) for id_ in (other.id, row_id)]
        return await self._compare(old, new)
