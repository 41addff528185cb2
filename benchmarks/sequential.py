"""The seed's own design: one process that works one invoice after the other.

GET a page; for each invoice: look for a duplicate, write the row, validate, POST on the kept connection, write what
came of it. Its tables, client, parsing and rules are ours; each write is a commit of its own, as the seed draws it.
"""

from contextlib import aclosing
from hashlib import sha256
from uuid import UUID, uuid4

import asyncpg
import httpx

from benchmarks.child import Done, Watch, Work, serve
from benchmarks.documents import ADMINISTRATION, Document, documents, post
from common.http.client import make_client
from ubl.identity import Identity, identify
from ubl.profile import Validator, load

WARM = 20

_SEEN = "SELECT id FROM invoices WHERE number = $1 AND supplier = $2"
_INSERT = """
INSERT INTO invoices (id, invoice_id, ubl_data, raw_sha256, status, stage, dossier, number, supplier, currency, amount)
VALUES (uuidv7(), $1, $2, $3, 'pending', 'fetched', $4, $5, $6, $7, $8) RETURNING id
"""
_UPDATE = """
UPDATE invoices SET status = $2::text, stage = $2::text, clearfacts_response = $3,
    processed_at = now(), updated_at = now()
WHERE id = $1
"""


async def measure(work: Work) -> Done:
    """Work `work.count` invoices, after some that warm everything up; counted are those that were sent."""
    connection = await asyncpg.connect(work.database_url)
    client = make_client(base_url=work.destination_url, token=work.token, connections=1)
    line = _Sequential(connection, client, load("basic"))
    watch, worked, sent = Watch(), 0, 0
    async with client, aclosing(documents(work)) as listing:
        async for document in listing:
            if worked == WARM:
                watch, sent = Watch(), 0
            sent += await line.process(document)
            worked += 1
            if worked == WARM + work.count:
                break
    await connection.close()
    return watch.done(sent)


class _Sequential:
    def __init__(
        self, connection: "asyncpg.Connection[asyncpg.Record]", client: httpx.AsyncClient, validator: Validator
    ) -> None:
        self._connection = connection
        self._client = client
        self._validator = validator

    async def process(self, document: Document) -> bool:
        """Whether it was sent."""
        identity = identify(document.content)
        if await self._connection.fetchval(_SEEN, identity.number, identity.supplier.key):
            return False
        row = await self._insert(document, identity)
        if not self._validator.validate(document.content).valid:
            await self._connection.execute(_UPDATE, row, "failed", None)
            return False
        answer = await post(self._client, document, uuid4())
        await self._connection.execute(_UPDATE, row, "sent", answer.text)
        return True

    async def _insert(self, document: Document, identity: Identity) -> UUID:
        return await self._connection.fetchval(
            _INSERT,
            document.id,
            document.content.decode(),
            sha256(document.content).digest(),
            ADMINISTRATION,
            identity.number,
            identity.supplier.key,
            identity.currency,
            identity.payable_amount,
        )


if __name__ == "__main__":
    serve(measure)
