"""A load that runs in a process of its own, so that its CPU and its event loop are nobody else's."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from pydantic import BaseModel, ConfigDict

from local.processes import run_tool

ROOT = Path(__file__).parents[1]


class Work(BaseModel):
    """What the process is to do."""

    model_config = ConfigDict(frozen=True)

    source_url: str
    destination_url: str
    token: str
    count: int
    in_flight: int = 1
    database_url: str = ""


class Done(BaseModel):
    """`seconds` and `cpu_seconds` of the measured part, without the start of the process."""

    model_config = ConfigDict(frozen=True)

    count: int
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return self.count / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Of one piece."""
        return self.cpu_seconds * 1000 / self.count


class Watch:
    """Measures from when it is made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._cpu = time.process_time()

    def done(self, count: int) -> Done:
        return Done(count=count, seconds=time.perf_counter() - self._began, cpu_seconds=time.process_time() - self._cpu)


async def run_child(module: str, work: Work, folder: Path) -> Done:
    """Run `python -m MODULE` on `work`. Raises LocalError with its last line where it fails."""
    asked, answered = folder / f"{module}.work.json", folder / f"{module}.done.json"
    await asyncio.to_thread(_write_private, asked, work.model_dump_json())
    await run_tool([sys.executable, "-m", module, str(asked), str(answered)], env={"PYTHONPATH": str(ROOT)})
    return Done.model_validate_json(await asyncio.to_thread(answered.read_text, "utf-8"))


def serve(measure: Callable[[Work], Awaitable[Done]]) -> None:
    """The whole `__main__` of such a module."""
    asked, answered = map(Path, sys.argv[1:])
    work = Work.model_validate_json(asked.read_text("utf-8"))

    async def run() -> Done:
        return await measure(work)

    answered.write_text(uvloop.run(run()).model_dump_json(), "utf-8")


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
