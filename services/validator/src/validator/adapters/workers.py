"""Validation in worker processes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import structlog

from common.errors import RetryableError
from ubl.profile import Profile
from ubl.verdict import Severity, Verdict
from ubl.work import validate_many
from validator.domain import Judged

log = structlog.get_logger()

CHUNK = 100
"""Documents a worker takes at once: small enough that several workers share a batch, large enough to be cheap."""

Run = Callable[..., Awaitable[Any]]
"""`Workers.run`: raises RetryableError when the worker died."""


class Apart:
    """A worker that has one call in hand at a time: what it dies of is known."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._one_by_one = asyncio.Lock()

    async def __call__(self, *call: Any) -> Any:
        async with self._one_by_one:
            return await self._run(*call)

    async def stand_by(self) -> None:
        """Have a worker before it is needed: whoever waits for a suspect's turn waits no longer than must be."""
        with suppress(RetryableError):
            await self(nothing)


def nothing() -> None:
    """The least that a worker can do."""


class WorkerValidation:
    """`run` takes chunks; where one of them ended its worker its documents go to `apart`, one by one."""

    def __init__(self, run: Run, apart: Apart, profile: Profile) -> None:
        self._run = run
        self._apart = apart
        self._profile: Profile = profile

    async def __call__(self, documents: Sequence[bytes]) -> Sequence[Judged | None]:
        """One answer per document, in order; None for one that ended its worker, alone."""
        chunks = [documents[start : start + CHUNK] for start in range(0, len(documents), CHUNK)]
        answers = await asyncio.gather(*(self._judge(chunk) for chunk in chunks))
        return [judged for answer in answers for judged in answer]

    async def _judge(self, chunk: Sequence[bytes]) -> Sequence[Judged | None]:
        try:
            return [to_judged(verdict) for verdict in await self._run(validate_many, self._profile, chunk)]
        except RetryableError as died:
            log.warning("chunk_taken_one_by_one", documents=len(chunk), error=str(died))
        return [await self._alone(document) for document in chunk]

    async def _alone(self, document: bytes) -> Judged | None:
        try:
            (verdict,) = await self._apart(validate_many, self._profile, [document])
        except RetryableError:
            log.critical("document_ends_workers", bytes=len(document))
            return None
        return to_judged(verdict)


def to_judged(verdict: Verdict) -> Judged:
    """The verdict as the state machine needs it."""
    fatal = next((finding for finding in verdict.findings if finding.severity is Severity.FATAL), None)
    summary = f"{fatal.rule}: {fatal.message}"[:1000] if fatal else None
    return Judged(verdict.valid, verdict.ruleset, tuple(asdict(finding) for finding in verdict.findings), summary)
