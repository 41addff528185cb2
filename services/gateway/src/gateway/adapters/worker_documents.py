"""Reading, judging and comparing documents in a worker process."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from common.errors import RetryableError
from gateway.domain.editing import difference
from ubl.identity import Identity
from ubl.profile import Profile
from ubl.safe import Malformation, MalformedDocument
from ubl.verdict import Verdict
from ubl.work import identify_many, validate_many

Run = Callable[..., Awaitable[Any]]
"""`Workers.run`: raises RetryableError when the worker died."""

_ENDED = MalformedDocument(Malformation.TOO_COMPLEX, "The document ended the process that was to read it")


class WorkerDocuments:
    def __init__(self, run: Run, *, profile: Profile = "basic") -> None:
        self._run = run
        self._profile: Profile = profile

    async def identify(self, documents: Sequence[bytes]) -> Sequence[Identity | MalformedDocument]:
        """One answer per document, in order; one that ends its worker counts as malformed."""
        try:
            return await self._run(identify_many, documents)
        except RetryableError:
            return [await self._alone(document) for document in documents]

    async def _alone(self, document: bytes) -> Identity | MalformedDocument:
        try:
            (answer,) = await self._run(identify_many, [document])
        except RetryableError:
            return _ENDED
        return answer

    async def validate(self, document: bytes) -> Verdict:
        (verdict,) = await self._run(validate_many, self._profile, [document])
        return verdict

    async def difference(self, before: bytes, after: bytes) -> str:
        return await self._run(difference, before, after)
