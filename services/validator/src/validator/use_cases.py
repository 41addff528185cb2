"""The validator's story."""

from collections.abc import Sequence

import structlog

from common.errors import RowFault
from common.halves import in_halves
from common.invoice.move import Moved
from validator.domain import Document, move, parked
from validator.ports import Key, Rows, Validate

log = structlog.get_logger()

ENDED = "the document ended its worker process three times"


class ValidateInvoices:
    """Judges the rows that are still fetched and moves them; rows that have moved are left alone."""

    def __init__(self, rows: Rows, validate: Validate) -> None:
        self._rows = rows
        self._validate = validate

    async def __call__(self, keys: Sequence[Key]) -> list[Moved]:
        """What moved, now or in an earlier delivery of the same batch: all of it is to be announced."""
        documents = await self._rows.read(keys)
        moved = await in_halves(documents, self._judge_and_move, self._park)
        taken = {document.id for document in documents}
        earlier = await self._rows.moved_before([key for key in keys if key[0] not in taken])
        return [*moved, *earlier]

    async def park(self, key: Key, cause: str) -> list[Moved]:
        """End a row that nobody can judge: what moved, to be announced."""
        log.error("row_parked", invoice=str(key[0]), cause=cause)
        return list(await self._rows.apply([parked(*key, cause)]))

    async def _judge_and_move(self, documents: Sequence[Document]) -> Sequence[Moved]:
        judged = await self._validate([document.content for document in documents])
        moves = [move(d, j) for d, j in zip(documents, judged, strict=True) if j is not None]
        if suspects := [(d.id, d.version) for d, j in zip(documents, judged, strict=True) if j is None]:
            moves += [parked(*key, ENDED) for key in await self._rows.set_aside(suspects)]
        return await self._rows.apply(moves)

    async def _park(self, document: Document, fault: RowFault) -> Sequence[Moved]:
        return await self.park((document.id, document.version), f"the verdict cannot be stored: {fault}")
