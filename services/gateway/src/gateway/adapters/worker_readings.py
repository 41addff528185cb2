"""Documents read in a worker process: one that is hostile or huge costs nobody else their turn."""

from common.errors import RetryableError
from gateway.adapters.worker_documents import Run
from gateway.domain.faults import DocumentInvalid
from ubl.reading import Reading, read
from ubl.safe import MalformedDocument


class WorkerReadings:
    def __init__(self, run: Run) -> None:
        self._run = run

    async def __call__(self, content: bytes) -> Reading:
        try:
            return await self._run(read, content)
        except MalformedDocument as error:
            raise DocumentInvalid(f"The document cannot be read: {error}") from None
        except RetryableError:
            raise DocumentInvalid("The document ended the process that was to read it") from None
