"""Identifying documents in worker processes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from common.errors import RetryableError
from fetcher.planning import Ended
from ubl.identity import Identity
from ubl.safe import MalformedDocument
from ubl.work import identify_many

log = structlog.get_logger()

DEATHS = 3
"""How often a document alone may end its worker before it is parked."""

Run = Callable[..., Awaitable[Any]]
"""`Workers.run`: raises RetryableError when the worker died."""

Answer = Identity | MalformedDocument | Ended


class WorkerIdentification:
    """Identifies documents; when a worker dies they are taken one by one, so that the culprit stops no page."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._one_by_one = asyncio.Lock()

    async def __call__(self, documents: Sequence[bytes]) -> Sequence[Answer]:
        """One answer per document, in order."""
        try:
            return await self._run(identify_many, documents)
        except RetryableError as died:
            log.warning("page_taken_one_by_one", documents=len(documents), error=str(died))
        async with self._one_by_one:
            return [await self._alone(document) for document in documents]

    async def _alone(self, document: bytes) -> Answer:
        for _ in range(DEATHS):
            try:
                (answer,) = await self._run(identify_many, [document])
            except RetryableError:
                continue
            return answer
        log.error("document_ends_workers", bytes=len(document))
        return Ended()
