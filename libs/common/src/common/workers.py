"""Worker processes for CPU-heavy work (XML): never on the event loop, never outliving their parent."""

import asyncio
import ctypes
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import ParamSpec, TypeVar

from common.errors import RetryableError

Params = ParamSpec("Params")
Result = TypeVar("Result")

_PR_SET_PDEATHSIG = 1


def _initialise() -> None:
    """In the child: die with the parent (Linux), and leave Ctrl-C to it."""
    with_libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(with_libc, "prctl"):
        with_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


class Workers:
    """A pool of `count` processes; a worker that dies costs its batch a retry and the pool a rebirth."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = self._make()

    async def run(self, function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
        """Run a top-level `function` in a worker. Raises RetryableError when the worker died in it."""
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, partial(function, *args, **kwargs))
        except BrokenProcessPool as error:
            if self._pool is pool:
                self._pool = self._make()
            raise RetryableError("a worker process died with this batch in hand") from error

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    def _make(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._count, mp_context=multiprocessing.get_context("spawn"), initializer=_initialise
        )
