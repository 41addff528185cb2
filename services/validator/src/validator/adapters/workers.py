"""Validation in worker processes."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

from common.workers import Workers
from ubl.profile import Profile
from ubl.verdict import Severity, Verdict
from ubl.work import validate_many
from validator.domain import Judged

CHUNK = 100
"""Documents a worker takes at once: small enough that several workers share a batch, large enough to be cheap."""


class WorkerValidation:
    def __init__(self, workers: Workers, profile: Profile) -> None:
        self._workers = workers
        self._profile: Profile = profile

    async def __call__(self, documents: Sequence[bytes]) -> Sequence[Judged]:
        """One answer per document, in order. Raises RetryableError when the worker died."""
        chunks = [documents[start : start + CHUNK] for start in range(0, len(documents), CHUNK)]
        answers = await asyncio.gather(*(self._workers.run(validate_many, self._profile, chunk) for chunk in chunks))
        return [to_judged(verdict) for verdicts in answers for verdict in verdicts]


def to_judged(verdict: Verdict) -> Judged:
    fatal = next((finding for finding in verdict.findings if finding.severity is Severity.FATAL), None)
    summary = f"{fatal.rule}: {fatal.message}"[:1000] if fatal else None
    return Judged(verdict.valid, verdict.ruleset, tuple(asdict(finding) for finding in verdict.findings), summary)
