"""Worker processes for CPU-heavy work (XML): never on the event loop, never outliving their parent."""

import asyncio
import ctypes
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait
from typing import ParamSpec, TypeVar

import structlog

from common.errors import RetryableError
from common.observability.spans import tracer
from common.waits import declared

log = structlog.get_logger()

Params = ParamSpec("Params")
Result = TypeVar("Result")

_PR_SET_PDEATHSIG = 1
LIMIT = 30.0
"""Seconds for one call: a worker that takes longer is killed, as if it had died."""


def _initialise() -> None:
    """In the child: die with the parent (Linux), and leave Ctrl-C and what is sent to the parent's group to it."""
    with_libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(with_libc, "prctl"):
        with_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_owner, name="owner", daemon=True).start()


def _end_with_owner() -> None:
    """The kernel tells of the death of the fork server only, and that waits for its workers: nobody would go first."""
    if (owner := multiprocessing.parent_process()) is not None:
        wait([owner.sentinel])
        os._exit(1)


class Workers:
    """A pool of `count` processes; a worker that dies costs its batch a retry and the pool a rebirth.

    With `preload` (modules to import once) workers are forked from a server that has them: reborn in 0.02 s, not 0.4.
    """

    def __init__(self, count: int, *, preload: Sequence[str] = (), limit: float = LIMIT) -> None:
        self._count = count
        self._limit = limit
        self._context = multiprocessing.get_context("forkserver" if preload else "spawn")
        if preload:
            self._context.set_forkserver_preload(list(preload))
        self._pool = self._make()

    async def run(self, function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
        """Run a top-level `function` in a worker. Raises RetryableError when the worker died in it, or had to."""
        pool = self._pool
        try:
            with tracer.span(f"worker {getattr(function, '__name__', '')}"):
                return await self._call(pool, partial(function, *args, **kwargs))
        except BrokenProcessPool as error:  # also when handing the call over: it broke while it was idle
            if self._pool is pool:
                self._pool = self._make()
            raise RetryableError("a worker process died with this batch in hand") from error

    async def _call(self, pool: ProcessPoolExecutor, work: Callable[[], Result]) -> Result:
        call = asyncio.get_running_loop().run_in_executor(pool, work)
        try:
            with declared(self._limit + 1.0):
                async with asyncio.timeout(self._limit):
                    return await asyncio.shield(call)
        except TimeoutError as error:
            log.critical("worker_killed", after=self._limit)
            self._kill(pool)
            call.add_done_callback(_ended)
            raise RetryableError(f"a worker process did not end within {self._limit:g} s") from error

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    def _kill(self, pool: ProcessPoolExecutor) -> None:
        if self._pool is pool:
            self._pool = self._make()
        for process in list(pool._processes.values()):  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - public in 3.14
            process.kill()

    def _make(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._count, mp_context=self._context, initializer=_initialise)


def _ended(call: asyncio.Future[Result]) -> None:
    """The pool's word on a call that was given up: nobody waits for it any more."""
    if not call.cancelled():
        call.exception()
