"""The documents of invoices in PostgreSQL."""

from uuid import UUID

from common.db.pool import Database
from gateway.adapters.invoice_versions import CONTENT, HOLDER, Versions
from gateway.adapters.postgres_audit import write_audit
from gateway.domain.access import Caller, User
from gateway.domain.documents import Differences, Document

_DOCUMENT = f"SELECT id, coalesce(number, invoice_id) AS title, {CONTENT} AS content FROM invoices WHERE id = $1"
_PLACE = f"SELECT i.duplicate_of, {HOLDER} AS holder FROM invoices i WHERE i.id = $1"


class PostgresDocuments:
    def __init__(self, database: Database, versions: Versions) -> None:
        self._database = database
        self._versions = versions

    async def document(self, row_id: UUID) -> Document | None:
        row = await self._database.fetchrow(_DOCUMENT, row_id)
        return Document(**dict(row)) if row else None

    async def taken(self, row_id: UUID, user: User, caller: Caller) -> Document | None:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(_DOCUMENT, row_id)
            if row is None:
                return None
            await write_audit(
                connection,
                action="invoices.download",
                user_id=user.id,
                caller=caller,
                resource=("invoice", row_id),
            )
        return Document(**dict(row))

    async def differences(self, row_id: UUID) -> Differences | None:
        row = await self._database.fetchrow(_PLACE, row_id)
        if row is None:
            return None
        other = await self._versions.other(row_id, **dict(row))
        return Differences(row_id, other, await self._versions.difference(other, row_id) if other else None)
