"""Validation in worker processes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

import structlog

from common.errors import RetryableError
from common.invoice.stage import Reason
from ubl.profile import Profile
from ubl.verdict import Severity, Verdict
from ubl.work import validate_many
from validator.domain import Judged

log = structlog.get_logger()

CHUNK = 100
"""Documents a worker takes at once: small enough that several workers share a batch, large enough to be cheap."""

DEATHS = 3
"""How often a document alone may end its worker before it is parked."""

_ENDED = Judged(
    valid=False, ruleset="none", findings=(), summary="the document ended its worker process", reason=Reason.PARKED
)

Run = Callable[..., Awaitable[Any]]
"""`Workers.run`: raises RetryableError when the worker died."""


class WorkerValidation:
    def __init__(self, run: Run, profile: Profile) -> None:
        self._run = run
        self._profile: Profile = profile
        self._one_by_one = asyncio.Lock()

    async def __call__(self, documents: Sequence[bytes]) -> Sequence[Judged]:
        """One answer per document, in order.

        When a worker dies the batch is taken one by one; a document that ends its worker three times, alone, is parked.
        """
        chunks = [documents[start : start + CHUNK] for start in range(0, len(documents), CHUNK)]
        try:
            answers = await asyncio.gather(*(self._judge(chunk) for chunk in chunks))
        except RetryableError as died:
            log.warning("batch_taken_one_by_one", documents=len(documents), error=str(died))
            async with self._one_by_one:
                return [await self._alone(document) for document in documents]
        return [judged for answer in answers for judged in answer]

    async def _judge(self, chunk: Sequence[bytes]) -> list[Judged]:
        return [to_judged(verdict) for verdict in await self._run(validate_many, self._profile, chunk)]

    async def _alone(self, document: bytes) -> Judged:
        for _ in range(DEATHS):
            try:
                (judged,) = await self._judge([document])
            except RetryableError:
                continue
            return judged
        log.error("document_ends_workers", bytes=len(document))
        return _ENDED


def to_judged(verdict: Verdict) -> Judged:
    """The verdict as the state machine needs it."""
    fatal = next((finding for finding in verdict.findings if finding.severity is Severity.FATAL), None)
    summary = f"{fatal.rule}: {fatal.message}"[:1000] if fatal else None
    return Judged(verdict.valid, verdict.ruleset, tuple(asdict(finding) for finding in verdict.findings), summary)
